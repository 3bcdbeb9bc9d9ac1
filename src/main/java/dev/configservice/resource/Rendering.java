package dev.configservice.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import java.util.List;
import java.util.Locale;

/** The form of resources whose names are unique over all environments. */
public final class Rendering {
    private Rendering() {}

    /** Renders a resource: its name, its own fields, and those that every resource has. */
    public static ObjectNode withoutActors(Resource resource, List<String> ownFields) {
        ObjectNode row = resource.row().fields();
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("name", resource.name());
        ownFields.forEach(field -> o.set(field, row.get(field)));
        o.put("version", resource.version());
        o.put("revision", resource.revision());
        o.set("created_at", row.get("created_at"));
        o.set("updated_at", row.get("updated_at"));
        o.putNull("created_by");
        o.putNull("updated_by");
        return o;
    }

    /** Renders a resource with its actors, if the caller may see them. */
    public static ObjectNode of(Resource resource, List<String> ownFields, Caller caller) {
        ObjectNode o = withoutActors(resource, ownFields);
        if (caller.has(Right.AUDIT_READ)) {
            ObjectNode row = resource.row().fields();
            o.set("created_by", row.get("created_by"));
            o.set("updated_by", row.get("updated_by"));
        }
        return o;
    }

    /** Returns what a search looks into. */
    public static String words(String name, String more) {
        return (name + "\n" + more).toLowerCase(Locale.ROOT);
    }
}
