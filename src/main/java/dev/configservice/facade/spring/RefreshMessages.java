package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.config.Configurations;
import dev.configservice.events.kafka.TopicMessages;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The events of Spring Cloud Bus that make applications refresh: one for all changes of a service's configurations that come
 * together, and one for all applications if what they share has changed. An event cannot name an environment, so
 * applications of other environments refresh as well, and find nothing new.
 */
public final class RefreshMessages implements TopicMessages {
    private static final String KIND = Configurations.unit("", "").kind();

    private static final String ALL = "**";

    private final String origin;
    private final InstantSource clock;

    /**
     * Creates the messages of a node.
     *
     * @param nodeId the id of the node, which no application has
     */
    public RefreshMessages(String nodeId, InstantSource clock) {
        this.origin = "config-service:0:" + nodeId;
        this.clock = clock;
    }

    @Override
    public String part() {
        return "spring-bus";
    }

    @Override
    public Duration pace() {
        return Duration.ofMillis(200);
    }

    @Override
    public boolean needsPast() {
        return false;
    }

    @Override
    public List<Message> of(List<Change> page, boolean withoutLargeValues) {
        Map<String, Change> byDestination = new LinkedHashMap<>();
        for (Change change : page) {
            Resource r = change.resource();
            if (r.kind().equals(KIND)) {
                byDestination.put(r.serviceName().isEmpty() ? ALL : r.serviceName() + ":**", change);
            }
        }
        Change ofAll = byDestination.get(ALL);
        if (ofAll != null) {
            return List.of(message(ALL, ofAll));
        }
        List<Message> messages = new ArrayList<>();
        byDestination.forEach((destination, last) -> messages.add(message(destination, last)));
        return messages;
    }

    private Message message(String destination, Change last) {
        ObjectNode event = Json.object();
        event.put("type", "RefreshRemoteApplicationEvent");
        event.put("timestamp", clock.millis());
        event.put("originService", origin);
        event.put("destinationService", destination);
        event.put("id", last.eventId().toString());
        return new Message(null, Buffer.buffer(Json.bytes(event)), Map.of("contentType", "application/json"));
    }
}
