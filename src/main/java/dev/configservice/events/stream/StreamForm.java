package dev.configservice.events.stream;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.events.ChangeEvent;
import dev.configservice.events.ServerSentEvents;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The form in which a stream tells its client what happens, as server-sent events. */
public interface StreamForm {
    /** Returns the first event of a stream. */
    Buffer hello(long revision);

    /** Returns the event that asks the client to read everything again, as of a revision. */
    Buffer resync(long revision);

    /**
     * Returns the event of a change; null in a form whose clients only need to know that something has changed. They get
     * one {@link #resync} for all changes of {@link ChangeStreams#TOGETHER}.
     */
    @Nullable
    Buffer change(ChangeEvent event, boolean withActor);

    /**
     * Returns what shows that the stream is alive.
     *
     * @param lag the time since this node last saw the log
     * @param chain the hash of the log at the revision; null if it is not known
     */
    Buffer heartbeat(long revision, Duration lag, Change.@Nullable Hash chain);

    /** The form of this service's own API: every change with its data. */
    StreamForm OWN = new StreamForm() {
        @Override
        public Buffer hello(long revision) {
            return ServerSentEvents.frame(revision, "hello", Json.object().put("revision", revision));
        }

        @Override
        public Buffer resync(long revision) {
            return ServerSentEvents.frame(revision, "resync", Json.object().put("revision", revision));
        }

        @Override
        public Buffer change(ChangeEvent event, boolean withActor) {
            return event.frame(withActor);
        }

        @Override
        public Buffer heartbeat(long revision, Duration lag, Change.@Nullable Hash chain) {
            ObjectNode data = Json.object();
            data.put("revision", revision);
            data.put("lag_ms", lag.toMillis());
            data.put("chain", chain == null ? null : chain.hex());
            return ServerSentEvents.frame(revision, "heartbeat", data);
        }
    };
}
