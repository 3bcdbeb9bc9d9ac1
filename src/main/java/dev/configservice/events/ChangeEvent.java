package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.SetMember;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * A change as consumers receive it, encoded once for all of them. It contains no secrets. It contains the actor only in
 * the variant for consumers that may see the actor.
 */
public final class ChangeEvent {
    private final Change change;
    private final ObjectNode data;
    private final String environment;
    private final String serviceName;
    private volatile @Nullable Buffer anonymousFrame;
    private volatile @Nullable Buffer actorFrame;

    ChangeEvent(Change change, ResourceKind kind) {
        this.change = change;
        this.data = kind.data(change.resource());
        this.environment = kind.environment(change.resource());
        this.serviceName = kind.serviceName(change.resource());
    }

    public Change change() {
        return change;
    }

    public long revision() {
        return change.revision();
    }

    /** Returns the kind of the resource and the action, e.g. {@code configuration.updated}. */
    public String type() {
        return change.resource().kind() + "." + change.action().text();
    }

    public ObjectNode json(boolean withActor) {
        Resource r = change.resource();
        ObjectNode o = Json.object();
        o.put("revision", change.revision());
        o.put("event_id", change.eventId().toString());
        o.put("event_type", type());
        o.put("resource_type", r.kind());
        o.put("action", change.action().text());
        o.put("resource_id", r.id());
        o.put("environment", environment.isEmpty() ? null : environment);
        o.put("service_name", serviceName.isEmpty() ? null : serviceName);
        o.set("actor", withActor ? change.actor().toJson() : null);
        o.put("occurred_at", Json.time(change.occurredAt()));
        SetMember set = change.set();
        o.set("change_set", set == null ? null : set.toJson());
        o.set("data", data);
        return o;
    }

    /** Returns the event, encoded as a server-sent event. */
    public Buffer frame(boolean withActor) {
        Buffer frame = withActor ? actorFrame : anonymousFrame;
        if (frame == null) {
            frame = ServerSentEvents.frame(change.revision(), type(), json(withActor));
            if (withActor) {
                actorFrame = frame;
            } else {
                anonymousFrame = frame;
            }
        }
        return frame;
    }
}
