package dev.configservice.ops;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Gives every object schema of a description a name, so that clients that are generated from it have classes with names. A
 * schema that is described in its place becomes one of the components, named after the operation or the schema that it is
 * part of; {@code oneOf} with null becomes a type that may be null, which generators understand.
 */
final class SchemaNames {
    private static final String REFERENCE = "#/components/schemas/";
    private static final List<String> ALTERNATIVES = List.of("oneOf", "anyOf", "allOf");

    private final ObjectNode schemas;
    private final ObjectNode originals;

    private SchemaNames(ObjectNode schemas) {
        this.schemas = schemas;
        this.originals = schemas.deepCopy();
    }

    /** Names the schemas of an OpenAPI document. */
    static void give(ObjectNode document) {
        ObjectNode components = (ObjectNode) document.get("components");
        SchemaNames names = new SchemaNames((ObjectNode) components.get("schemas"));
        names.nameComponents();
        components
                .path("responses")
                .properties()
                .forEach(r -> names.contents(r.getValue(), upper(r.getKey()) + "Body"));
        components
                .path("requestBodies")
                .properties()
                .forEach(r -> names.contents(r.getValue(), upper(r.getKey()) + "Request"));
        components.path("parameters").forEach(p -> names.parts(p.path("schema"), ""));
        for (JsonNode path : document.path("paths")) {
            removeAny(path.path("parameters"));
            for (JsonNode operation : path) {
                operation.path("parameters").forEach(p -> names.parts(p.path("schema"), ""));
                removeAny(operation.path("parameters"));
                String name = upper(operation.path("operationId").asText("operation"));
                names.contents(operation.path("requestBody"), name + "Request");
                operation.path("responses").forEach(response -> names.contents(response, name + "Response"));
            }
        }
    }

    /** Removes the parameter that stands for any: clients cannot name it. */
    private static void removeAny(JsonNode parameters) {
        for (Iterator<JsonNode> all = parameters.iterator(); all.hasNext(); ) {
            if (all.next().path("name").asText().equals("*")) {
                all.remove();
            }
        }
    }

    private void nameComponents() {
        List<String> known = new ArrayList<>();
        schemas.fieldNames().forEachRemaining(known::add);
        for (String name : known) {
            JsonNode nullable = nullable(schemas.get(name));
            schemas.set(name, nullable);
            parts(nullable, name);
        }
    }

    private void contents(JsonNode holder, String name) {
        for (JsonNode media : holder.path("content")) {
            if (media instanceof ObjectNode object && object.has("schema")) {
                object.set("schema", named(object.get("schema"), name));
            }
        }
    }

    /** Returns a schema in place of one: a reference, if it is an object with properties. */
    private JsonNode named(JsonNode given, String name) {
        JsonNode schema = inPlace(nullable(given));
        parts(schema, name);
        if (!schema.has("properties") || schema.has("$ref")) {
            return schema;
        }
        String free = name;
        for (int i = 2; schemas.has(free) && !schemas.get(free).equals(schema); i++) {
            free = name + i;
        }
        schemas.set(free, schema);
        return Json.object().put("$ref", REFERENCE + free);
    }

    /** Returns what a reference leads to, if that may be null and is no object: generators take a reference for a value. */
    private JsonNode inPlace(JsonNode schema) {
        if (!schema.has("$ref")) {
            return schema;
        }
        JsonNode original = originals.path(schema.get("$ref").asText().substring(REFERENCE.length()));
        JsonNode resolved = nullable(original);
        return !resolved.equals(original) && !resolved.has("properties") ? resolved : schema;
    }

    private void parts(JsonNode schema, String name) {
        if (!(schema instanceof ObjectNode object)) {
            return;
        }
        if (object.path("additionalProperties").isBoolean()
                && !object.path("additionalProperties").booleanValue()) {
            // generators make a map of an object that may have no further members
            object.remove("additionalProperties");
        }
        boolean isObject = object.path("type").asText().equals("object") || contains(object.path("type"), "object");
        if (isObject && !object.has("properties") && !object.has("additionalProperties")) {
            object.put("additionalProperties", true);
        }
        boolean isInteger = object.path("type").asText().equals("integer") || contains(object.path("type"), "integer");
        if (isInteger && !object.has("format") && !object.has("maximum")) {
            // revisions do not fit into 32 bits forever
            object.put("format", "int64");
        }
        if (object.get("properties") instanceof ObjectNode properties) {
            for (Map.Entry<String, JsonNode> p : List.copyOf(properties.properties())) {
                JsonNode property = named(p.getValue(), name + words(p.getKey()));
                properties.set(p.getKey(), property);
                if (isNullableContainer(property) && object.get("required") instanceof ArrayNode required) {
                    // generators take null for a wrong value of what is required
                    remove(required, p.getKey());
                }
            }
        }
        if (object.get("items") instanceof ObjectNode items) {
            object.set("items", named(items, name + "Item"));
        }
        for (String keyword : ALTERNATIVES) {
            if (object.get(keyword) instanceof ArrayNode all) {
                for (int i = 0; i < all.size(); i++) {
                    all.set(i, named(all.get(i), all.size() <= 2 ? name : name + i));
                }
            }
        }
    }

    /** Returns the schema of one that may also be null, as a type with null. */
    private JsonNode nullable(JsonNode schema) {
        JsonNode all = schema.path("oneOf");
        ObjectNode nothing = Json.object().put("type", "null");
        if (all.size() != 2 || (!all.get(0).equals(nothing) && !all.get(1).equals(nothing))) {
            return schema;
        }
        JsonNode other = all.get(0).equals(nothing) ? all.get(1) : all.get(0);
        JsonNode resolved =
                other.has("$ref") ? originals.path(other.get("$ref").asText().substring(REFERENCE.length())) : other;
        if (!(resolved.deepCopy() instanceof ObjectNode copy)) {
            return schema;
        }
        if (copy.path("type").isTextual()) {
            String type = copy.get("type").asText();
            copy.putArray("type").add(type).add("null");
        }
        if (copy.get("enum") instanceof ArrayNode values) {
            values.addNull();
        }
        schema.properties().forEach(member -> {
            if (!member.getKey().equals("oneOf") && !copy.has(member.getKey())) {
                copy.set(member.getKey(), member.getValue());
            }
        });
        return copy;
    }

    private boolean isNullableContainer(JsonNode property) {
        if (property.has("$ref")) {
            String name = property.get("$ref").asText().substring(REFERENCE.length());
            JsonNode schema = originals.has(name) ? nullable(originals.get(name)) : schemas.path(name);
            return contains(schema.path("type"), "null");
        }
        return contains(property.path("type"), "array");
    }

    private static void remove(ArrayNode texts, String text) {
        for (int i = texts.size() - 1; i >= 0; i--) {
            if (texts.get(i).asText().equals(text)) {
                texts.remove(i);
            }
        }
    }

    private static boolean contains(JsonNode types, String type) {
        for (JsonNode t : types) {
            if (t.asText().equals(type)) {
                return true;
            }
        }
        return false;
    }

    private static String upper(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    private static String words(String field) {
        StringBuilder name = new StringBuilder();
        for (String word : field.split("[_-]", -1)) {
            if (!word.isEmpty()) {
                name.append(upper(word));
            }
        }
        return name.toString();
    }
}
