package dev.configservice.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.configservice.error.FieldError;
import dev.configservice.flag.eval.PatternSize;
import dev.configservice.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The limits of a schema, which can neither fetch anything nor take long: its size, its depth, the number of its
 * subschemas, its patterns, and references only within it. Prepares the schema for its compilation.
 */
final class SchemaLimits {
    static final int MAX_BYTES = 64 << 10;
    static final int MAX_DEPTH = 32;
    static final int MAX_SUBSCHEMAS = 1000;
    private static final long MAX_PATTERNS = 20_000;
    private static final int MAX_ERRORS = 20;

    /** The keyword that counts what a judgement costs. It is put into every subschema. */
    static final String COST = "\u0000cost";

    private static final String DIALECT = "https://json-schema.org/draft/2020-12/schema";

    private static final Set<String> WITH_ONE = Set.of(
            "additionalProperties",
            "contains",
            "contentSchema",
            "else",
            "if",
            "items",
            "not",
            "propertyNames",
            "then",
            "unevaluatedItems",
            "unevaluatedProperties");
    private static final Set<String> WITH_LIST = Set.of("allOf", "anyOf", "oneOf", "prefixItems");
    private static final Set<String> WITH_MAP =
            Set.of("$defs", "definitions", "dependentSchemas", "patternProperties", "properties");

    private final List<FieldError> errors;
    private int subschemas;
    private long patterns;

    private SchemaLimits(List<FieldError> errors) {
        this.errors = errors;
    }

    /** Adds an error for each limit that a schema exceeds. */
    static void check(JsonNode schema, List<FieldError> errors) {
        if (!schema.isObject() && !schema.isBoolean()) {
            errors.add(new FieldError("schema", "must be a JSON Schema: an object, true or false"));
            return;
        }
        int bytes = Json.bytes(schema).length;
        if (bytes > MAX_BYTES) {
            errors.add(new FieldError("schema", "may be at most " + MAX_BYTES + " bytes large, and is " + bytes));
            return;
        }
        int before = errors.size();
        if (depth(schema) > MAX_DEPTH) {
            errors.add(new FieldError("schema", "may be at most " + MAX_DEPTH + " levels deep"));
            return;
        }
        Json.check("schema", schema, errors);
        SchemaLimits limits = new SchemaLimits(errors);
        limits.walk(schema, "schema", true);
        if (limits.subschemas > MAX_SUBSCHEMAS) {
            errors.add(new FieldError("schema", "may have at most " + MAX_SUBSCHEMAS + " subschemas"));
        }
        if (limits.patterns > MAX_PATTERNS) {
            errors.add(new FieldError(
                    "schema", "has patterns that are too large together (limit: " + MAX_PATTERNS + " elements)"));
        }
        while (errors.size() > before + MAX_ERRORS) {
            errors.remove(errors.size() - 1);
        }
    }

    private static int depth(JsonNode node) {
        int deepest = 0;
        for (JsonNode child : node) {
            deepest = Math.max(deepest, depth(child));
        }
        return node.isContainerNode() ? deepest + 1 : deepest;
    }

    private void walk(JsonNode schema, String at, boolean isRoot) {
        subschemas++;
        if (!(schema instanceof ObjectNode object) || errors.size() > 1000) {
            return;
        }
        for (Map.Entry<String, JsonNode> member : object.properties()) {
            String keyword = member.getKey();
            JsonNode value = member.getValue();
            String place = at + "." + keyword;
            switch (keyword) {
                case "$ref", "$dynamicRef" -> {
                    if (!value.asText().startsWith("#")) {
                        error(place, "must begin with #: a schema can refer only to itself");
                    }
                }
                case "$id" -> {
                    if (!isRoot) {
                        error(place, "is only permitted at the root");
                    }
                }
                case "$schema" -> {
                    if (!value.asText().replaceAll("#$", "").equals(DIALECT)) {
                        error(place, "must be " + DIALECT);
                    }
                }
                case "pattern" -> pattern(value.asText(), place);
                default -> children(keyword, value, place);
            }
        }
    }

    private void children(String keyword, JsonNode value, String place) {
        if (WITH_ONE.contains(keyword)) {
            walk(value, place, false);
        } else if (WITH_LIST.contains(keyword) && value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
                walk(value.get(i), place + "[" + i + "]", false);
            }
        } else if (WITH_MAP.contains(keyword) && value.isObject()) {
            value.properties().forEach(entry -> {
                if (keyword.equals("patternProperties")) {
                    pattern(entry.getKey(), place);
                }
                walk(entry.getValue(), place + "." + entry.getKey(), false);
            });
        }
    }

    private void pattern(String pattern, String place) {
        long size = PatternSize.of(pattern);
        patterns += size;
        if (size > MAX_PATTERNS) {
            error(place, "is too large (limit: " + MAX_PATTERNS + " elements)");
            return;
        }
        try {
            Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            error(place, "is not a regular expression that RE2 accepts: " + e.getDescription());
        }
    }

    private void error(String place, String message) {
        String shown = Json.textProblem(place) == null && place.length() <= 300 ? place : "schema";
        errors.add(new FieldError(shown, message));
    }

    /** Returns a copy of a schema in which each subschema counts its cost. */
    static JsonNode counting(JsonNode schema) {
        JsonNode copy = schema.deepCopy();
        new Counting().walk(copy);
        return copy;
    }

    /** Puts the keyword that counts into every subschema. */
    private static final class Counting {
        private void walk(JsonNode schema) {
            if (!(schema instanceof ObjectNode object)) {
                return;
            }
            long sizes = 0;
            List<JsonNode> children = new ArrayList<>();
            for (Map.Entry<String, JsonNode> member : object.properties()) {
                String keyword = member.getKey();
                JsonNode value = member.getValue();
                if (keyword.equals("pattern")) {
                    sizes += PatternSize.of(value.asText());
                } else if (WITH_ONE.contains(keyword)) {
                    children.add(value);
                } else if (WITH_LIST.contains(keyword)) {
                    value.forEach(children::add);
                } else if (WITH_MAP.contains(keyword)) {
                    for (Map.Entry<String, JsonNode> entry : value.properties()) {
                        children.add(entry.getValue());
                        sizes += keyword.equals("patternProperties") ? PatternSize.of(entry.getKey()) : 0;
                    }
                } else if (value.isArray()) {
                    sizes += value.size();
                }
            }
            int keywords = object.size();
            object.putObject(COST).put("keywords", keywords).put("sizes", sizes);
            children.forEach(this::walk);
        }
    }
}
