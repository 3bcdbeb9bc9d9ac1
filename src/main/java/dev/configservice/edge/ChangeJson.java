package dev.configservice.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.SetMember;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The JSON of changes that are sent between nodes. It contains secrets only as ciphertext. */
final class ChangeJson {
    private ChangeJson() {}

    static ArrayNode write(List<Change> changes) {
        ArrayNode all = Json.object().arrayNode();
        changes.forEach(c -> all.add(write(c)));
        return all;
    }

    private static ObjectNode write(Change change) {
        Resource r = change.resource();
        ObjectNode o = Json.object()
                .put("epoch", change.position().epoch())
                .put("revision", change.revision())
                .put("event_id", change.eventId().toString())
                .put("action", change.action().text())
                .put("kind", r.kind())
                .put("id", r.id())
                .put("environment", r.environment())
                .put("service_name", r.serviceName())
                .put("name", r.name())
                .put("version", r.version())
                .put("resource_revision", r.revision())
                .put("fence", r.fence())
                .put("row", r.row().text())
                .put("sealed", r.sealed().base64())
                .put("request_id", change.requestId())
                .put("comment", change.comment())
                .put("occurred_at", change.occurredAt().toString())
                .put("hash", change.hash().hex())
                .put("empties_unit", change.emptiesUnit())
                .put("trace_parent", change.traceParent());
        SetMember set = change.set();
        if (set != null) {
            o.put("set_id", set.id().toString()).put("set_index", set.index()).put("set_count", set.count());
        }
        o.set("actor", change.actor().toJson());
        return o;
    }

    static List<Change> read(JsonNode changes) {
        List<Change> all = new ArrayList<>(changes.size());
        changes.forEach(c -> all.add(readOne(c)));
        return all;
    }

    private static Change readOne(JsonNode c) {
        return new Change(
                new Position(c.path("epoch").longValue(), c.path("revision").longValue()),
                UUID.fromString(c.path("event_id").textValue()),
                Action.of(c.path("action").textValue()),
                new Resource(
                        c.path("kind").textValue(),
                        c.path("id").textValue(),
                        c.path("environment").textValue(),
                        c.path("service_name").textValue(),
                        c.path("name").textValue(),
                        c.path("version").longValue(),
                        c.path("resource_revision").longValue(),
                        c.path("fence").longValue(),
                        ResourceRow.of(c.path("row").textValue()),
                        Sealed.ofBase64(c.path("sealed").textValue())),
                Actor.of(c.path("actor")),
                text(c, "request_id"),
                text(c, "comment"),
                Instant.parse(c.path("occurred_at").textValue()),
                new Change.Hash(c.path("hash").textValue()),
                c.path("empties_unit").booleanValue(),
                c.has("set_id")
                        ? new SetMember(
                                UUID.fromString(c.path("set_id").textValue()),
                                c.path("set_index").intValue(),
                                c.path("set_count").intValue())
                        : null,
                text(c, "trace_parent"));
    }

    private static @Nullable String text(JsonNode c, String name) {
        return c.path(name).textValue();
    }
}
