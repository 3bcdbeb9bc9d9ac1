package dev.configservice.events.kafka;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.events.ChangeEvent;
import dev.configservice.events.ChangeEvents;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.SetMember;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every public change as a CloudEvent. */
public final class ChangeMessages implements TopicMessages {
    private static final int SMALL_BYTES = 900_000;

    private final ChangeEvents events;

    public ChangeMessages(ChangeEvents events) {
        this.events = events;
    }

    @Override
    public String part() {
        return "kafka";
    }

    @Override
    public Duration pace() {
        return Duration.ofMillis(50);
    }

    @Override
    public boolean needsPast() {
        return true;
    }

    @Override
    public List<Message> of(List<Change> page, boolean withoutLargeValues) {
        return page.stream()
                .filter(events.kinds()::isPublic)
                .map(change -> message(events.of(change), withoutLargeValues))
                .toList();
    }

    /**
     * Encodes an event as CloudEvents 1.0 in the binary mode of Kafka: the attributes are headers, and the value is the
     * JSON of the event.
     */
    private static Message message(ChangeEvent event, boolean withoutLargeValues) {
        Change change = event.change();
        String id = change.resource().id();
        ObjectNode json = event.json(false);
        byte[] bytes = Json.bytes(json);
        if (withoutLargeValues && bytes.length > SMALL_BYTES) {
            // an event that the topic rejects must not block all later ones; consumers read its data over HTTP
            json.putObject("data").put("too_large", true);
            bytes = Json.bytes(json);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("ce_specversion", "1.0");
        headers.put("ce_id", change.eventId().toString());
        headers.put("ce_source", "/config-service");
        headers.put("ce_type", event.type());
        headers.put("ce_subject", id);
        headers.put("ce_time", Json.time(change.occurredAt()));
        headers.put("ce_revision", Long.toString(change.revision()));
        headers.put("ce_chain", change.hash().hex());
        SetMember set = change.set();
        if (set != null) {
            headers.put("ce_changeset", set.id() + ":" + set.index() + ":" + set.count());
        }
        headers.put("content-type", "application/json");
        if (change.traceParent() != null) {
            headers.put("traceparent", change.traceParent());
        }
        return new Message(id, Buffer.buffer(bytes), headers);
    }
}
