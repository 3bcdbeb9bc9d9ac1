package dev.configservice.log;

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

    static Content content(String row, Sealed sealed) {
        return new Content(Json.readObject(row).remove(NAMES), sealed);
    }

    static String created(ObjectNode fields, Instant now, Actor actor) {
        ObjectNode row = fields.deepCopy();
        row.put("created_at", Json.time(now));
        row.put("updated_at", Json.time(now));
        row.set("created_by", actor.toJson());
        row.set("updated_by", actor.toJson());
        return Json.write(row);
    }

    static String updated(ObjectNode fields, String before, Instant now, Actor actor) {
        ObjectNode old = Json.readObject(before);
        ObjectNode row = fields.deepCopy();
        row.set("created_at", old.get("created_at"));
        row.put("updated_at", Json.time(now));
        row.set("created_by", old.get("created_by"));
        row.set("updated_by", actor.toJson());
        return Json.write(row);
    }
}
