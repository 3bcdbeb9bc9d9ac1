package dev.configservice.events.kafka;

import dev.configservice.log.Change;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The messages that a topic gets for the changes of the log. */
public interface TopicMessages {
    /**
     * A message.
     *
     * @param key messages with the same key keep their order; null if the order does not matter
     */
    record Message(@Nullable String key, Buffer value, Map<String, String> headers) {}

    /** Returns the first word of the keys of log lines, and the name of the part in {@code /health}. */
    String part();

    /**
     * Returns the shortest time from one transaction to the next, unless there is a backlog. A transaction costs the broker
     * as much as hundreds of messages, so the changes that arrive within this time share one.
     */
    Duration pace();

    /** Tells whether a topic that gets its first message gets all changes of the log, or only new ones. */
    boolean needsPast();

    /**
     * Returns the messages for a page of changes, in order.
     *
     * @param withoutLargeValues whether the topic rejects large messages
     */
    List<Message> of(List<Change> page, boolean withoutLargeValues);
}
