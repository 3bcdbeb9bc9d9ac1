package dev.configservice.log;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.ResourceKind.Content;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;

/** The fields that the log adds to those of the kind, in the row of every resource. */
final class RowMeta {
    private static final List<String> NAMES = List.of("created_at", "updated_at", "created_by", "updated_by");

    private RowMeta() {}

    /** A row that was parsed: the fields of the kind, and the two that every later row of the resource keeps. */
    record Parsed(Content content, JsonNode createdAt, JsonNode createdBy) {
        /** Returns the row with other fields of the kind, as changed now. */
        ResourceRow updated(ObjectNode fields, Instant now, Actor actor) {
            ObjectNode row = Json.object().setAll(fields);
            row.set("created_at", createdAt);
            row.put("updated_at", Json.time(now));
            row.set("created_by", createdBy);
            row.set("updated_by", actor.toJson());
            return ResourceRow.of(row);
        }
    }

    static Parsed parse(ResourceRow row, Sealed sealed) {
        ObjectNode fields = row.fields();
        JsonNode createdAt = fields.get("created_at");
        JsonNode createdBy = fields.get("created_by");
        return new Parsed(new Content(fields.remove(NAMES), sealed), createdAt, createdBy);
    }

    static ResourceRow created(ObjectNode fields, Instant now, Actor actor) {
        ObjectNode row = Json.object().setAll(fields);
        row.put("created_at", Json.time(now));
        row.put("updated_at", Json.time(now));
        row.set("created_by", actor.toJson());
        row.set("updated_by", actor.toJson());
        return ResourceRow.of(row);
    }
}
