package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.config.FlatDocument;
import dev.configservice.http.Response;
import dev.configservice.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The documents in which all values that an application sees can be read, by the ending of the path. */
enum PlainForm {
    YML("text/plain;charset=utf-8") {
        @Override
        String write(SortedMap<String, JsonNode> values) {
            return FlatDocument.YAML.write(nested(values));
        }
    },
    YAML("text/plain;charset=utf-8") {
        @Override
        String write(SortedMap<String, JsonNode> values) {
            return YML.write(values);
        }
    },
    JSON(Response.JSON) {
        @Override
        String write(SortedMap<String, JsonNode> values) {
            return Json.write(nested(values));
        }
    },
    PROPERTIES("text/plain;charset=utf-8") {
        @Override
        String write(SortedMap<String, JsonNode> values) {
            StringBuilder out = new StringBuilder();
            values.forEach((key, value) -> out.append(FlatDocument.escape(key, true))
                    .append(": ")
                    .append(FlatDocument.escape(value.isTextual() ? value.textValue() : Json.write(value), false))
                    .append('\n'));
            return out.toString();
        }
    };

    /** A key of more steps stays flat. */
    private static final int MAX_DEPTH = 64;

    private final String contentType;

    PlainForm(String contentType) {
        this.contentType = contentType;
    }

    /** Returns the form of a file name by its ending; null if it has none. */
    static @Nullable PlainForm of(String file) {
        for (PlainForm form : values()) {
            if (file.endsWith(form.ending())) {
                return form;
            }
        }
        return null;
    }

    /** Returns the ending of file names in this form, with its dot. */
    String ending() {
        return "." + name().toLowerCase(java.util.Locale.ROOT);
    }

    String contentType() {
        return contentType;
    }

    /** Writes values by key. */
    abstract String write(SortedMap<String, JsonNode> values);

    /** An object or an array while it is put together. */
    private static final class Node {
        private final Map<String, Object> members = new TreeMap<>();
        private final TreeMap<Integer, Object> elements = new TreeMap<>();

        private @Nullable Object at(Object step) {
            return step instanceof Integer ? elements.get(step) : members.get(step);
        }

        private void put(Object step, Object value) {
            if (step instanceof Integer index) {
                elements.put(index, value);
            } else {
                members.put((String) step, value);
            }
        }

        JsonNode json() {
            boolean isArray = members.isEmpty() && !elements.isEmpty() && elements.lastKey() == elements.size() - 1;
            if (isArray) {
                ArrayNode array = Json.object().arrayNode();
                elements.values().forEach(element -> array.add(json(element)));
                return array;
            }
            ObjectNode object = Json.object();
            members.forEach((name, member) -> object.set(name, json(member)));
            elements.forEach((index, element) -> object.set("[" + index + "]", json(element)));
            return object;
        }

        private static JsonNode json(Object value) {
            return value instanceof Node node ? node.json() : (JsonNode) value;
        }
    }

    /** Puts keys with dots and indexes together to objects and arrays. */
    private static ObjectNode nested(SortedMap<String, JsonNode> values) {
        Node root = new Node();
        values.forEach((key, value) -> insert(root, key, value));
        return (ObjectNode) root.json();
    }

    private static void insert(Node root, String key, JsonNode value) {
        List<Object> steps = steps(key);
        Node node = root;
        int rest = 0;
        for (int i = 0; i < steps.size(); i++) {
            Object step = steps.get(i);
            Object there = node.at(step);
            boolean isLast = i == steps.size() - 1;
            if (there == null) {
                there = isLast ? value : new Node();
                node.put(step, there);
            } else if (isLast || !(there instanceof Node)) {
                // the key has a value, and others continue it: they stay flat beside it
                node.members.put(text(steps, rest), value);
                return;
            }
            if (there instanceof Node next) {
                node = next;
                rest = i + 1;
            }
        }
    }

    private static String text(List<Object> steps, int from) {
        StringBuilder text = new StringBuilder();
        for (Object step : steps.subList(from, steps.size())) {
            if (step instanceof Integer index) {
                text.append('[').append(index).append(']');
            } else {
                text.append(text.length() == 0 ? "" : ".").append(step);
            }
        }
        return text.toString();
    }

    /** Splits a key into names and indexes. */
    private static List<Object> steps(String key) {
        List<Object> steps = new ArrayList<>();
        for (String segment : key.split("\\.", -1)) {
            int bracket = segment.indexOf('[');
            boolean isIndexed = bracket > 0 && segment.substring(bracket).matches("(\\[\\d{1,9}])+");
            if (segment.isEmpty()) {
                return List.of(key);
            }
            steps.add(isIndexed ? segment.substring(0, bracket) : segment);
            if (isIndexed) {
                for (String index :
                        segment.substring(bracket + 1, segment.length() - 1).split("]\\[", -1)) {
                    steps.add(Integer.valueOf(index));
                }
            }
        }
        return steps.size() > MAX_DEPTH ? List.of(key) : List.copyOf(steps);
    }
}
