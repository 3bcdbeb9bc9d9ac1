package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Documents of an import, made of files by a client. Pure: needs no node. */
public final class Documents {
    static final String CONFIGURATIONS = "configurations";
    static final String FLAGS = "feature_flags";

    private Documents() {}

    /** Tells whether a text is a document, in JSON or YAML, and no flat file. */
    public static boolean isDocument(String text) {
        return text.stripLeading().startsWith("{")
                ? text.contains("\"" + ExportRoutes.MARK + "\"")
                : text.lines().anyMatch(line -> line.startsWith(ExportRoutes.MARK + ":"));
    }

    /** Reads JSON or the subset of YAML that imports accept. Fails as an import does. */
    public static JsonNode read(String text) {
        return text.stripLeading().startsWith("{") || text.stripLeading().startsWith("[")
                ? Json.parseBody(text.getBytes(StandardCharsets.UTF_8))
                : YamlText.read(text);
    }

    /**
     * Returns the document that a flat file stands for.
     *
     * @param format json, yaml, properties or env
     * @param service the service whose layer it is; null for the shared one
     */
    public static ObjectNode ofFlat(String text, String format, String environment, @Nullable String service) {
        ObjectNode values =
                switch (format) {
                    case "properties" -> FlatFile.ofProperties(text);
                    case "env" -> FlatFile.ofVariables(text);
                    default -> FlatFile.ofTree(read(text));
                };
        ObjectNode document = begin(environment, List.of("configuration"));
        ((ObjectNode) document.get("scope")).putArray("service_names").add(service == null ? "" : service);
        ArrayNode entries = document.putArray(CONFIGURATIONS);
        values.properties().forEach(m -> {
            ObjectNode entry = entries.addObject().put("key", m.getKey()).put("environment", environment);
            if (service != null) {
                entry.put("service_name", service);
            }
            entry.set("value", m.getValue());
        });
        return document;
    }

    /** Returns a document without entries that is complete for some kinds in an environment. */
    static ObjectNode begin(String environment, List<String> kinds) {
        ObjectNode document = Json.object().put(ExportRoutes.MARK, ExportRoutes.FORM);
        ObjectNode scope = document.putObject("scope");
        scope.putArray("environments").add(environment);
        scope.set("resource_types", Json.tree(kinds));
        scope.put("revision", 0).put("complete", true);
        return document;
    }

    /** Returns documents with at most some entries each, which hold together what a document holds. None is complete. */
    public static List<ObjectNode> parts(ObjectNode document, int most) {
        List<ObjectNode> parts = new ArrayList<>();
        for (String list : List.of(CONFIGURATIONS, FLAGS)) {
            JsonNode entries = document.path(list);
            for (int i = 0; i < entries.size(); i += most) {
                ObjectNode part = Json.object().put(ExportRoutes.MARK, ExportRoutes.FORM);
                ObjectNode scope = document.path("scope").isObject()
                        ? document.path("scope").deepCopy()
                        : Json.object();
                part.set("scope", scope.put("complete", false));
                ArrayNode some = part.putArray(list);
                for (int k = i; k < Math.min(entries.size(), i + most); k++) {
                    some.add(entries.get(k));
                }
                parts.add(part);
            }
        }
        return parts;
    }
}
