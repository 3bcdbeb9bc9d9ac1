package dev.configservice.template;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.SetMember;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a template, and the replacement of <code>${name}</code> by their values. Only declared parameters are
 * replaced, once, and only in strings; <code>$${name}</code> stands for the string <code>${name}</code>.
 */
final class Parameters {
    static final int MAX = 200;
    private static final Pattern REFERENCE = Pattern.compile("(\\$?)\\$\\{([A-Za-z0-9_][A-Za-z0-9._:-]{0,254})}");
    private static final StringRule NAME = StringRule.pattern(
            "[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}",
            "must be 1 to 255 of A-Z a-z 0-9 . _ : - and start with a letter, a digit or _");
    private static final StringRule DESCRIPTION = StringRule.text(0, 2000);

    private final Map<String, Parameter> declared = new LinkedHashMap<>();

    /**
     * A parameter.
     *
     * @param isRequired whether it must be given. An entry that refers to one that is neither required nor given, and has no
     *     default, is left out
     * @param defaultValue its value if it is not given; null if there is none
     */
    record Parameter(
            String name, boolean isRequired, @Nullable JsonNode defaultValue, boolean isSecret) {}

    /** Reads the parameters of a template that was checked when it was written. */
    static Parameters of(JsonNode array) {
        Parameters parameters = new Parameters();
        for (JsonNode node : array) {
            JsonNode standard = node.get("default");
            parameters.add(new Parameter(
                    node.path("name").asText(),
                    node.path("required").asBoolean(),
                    standard == null || standard.isNull() ? null : standard,
                    node.path("is_secret").asBoolean()));
        }
        return parameters;
    }

    private void add(Parameter parameter) {
        declared.put(parameter.name(), parameter);
    }

    Collection<Parameter> all() {
        return declared.values();
    }

    @Nullable
    Parameter get(String name) {
        return declared.get(name);
    }

    /** Returns the declarations of a body with all fields, and adds an error for each that is not valid. */
    static ArrayNode normalized(@Nullable JsonNode given, List<FieldError> errors) {
        ArrayNode all = Json.object().arrayNode();
        if (given == null) {
            return all;
        }
        if (!given.isArray() || given.size() > MAX) {
            errors.add(new FieldError("parameters", "must be an array of at most " + MAX + " parameters"));
            return all;
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < given.size(); i++) {
            String at = "parameters[" + i + "]";
            if (!(given.get(i) instanceof ObjectNode object)) {
                errors.add(new FieldError(at, "must be an object"));
                continue;
            }
            FieldReader fields = FieldReader.write(object);
            ObjectNode parameter = Json.object();
            String name = fields.required("name", NAME);
            parameter.put("name", name);
            parameter.put("description", fields.text("description", DESCRIPTION));
            JsonNode standard = fields.value("default");
            boolean isSecret = Boolean.TRUE.equals(fields.bool("is_secret"));
            Boolean required = fields.bool("required");
            if (isSecret && standard != null) {
                fields.error("default", "is not permitted for a secret: everybody who reads the template would see it");
            }
            if (!names.add(name)) {
                fields.error("name", "is declared twice");
            }
            parameter.put("required", required == null ? standard == null : required);
            parameter.set("default", standard);
            parameter.put("is_secret", isSecret);
            fields.unknown();
            fields.errors().forEach(e -> errors.add(new FieldError(at + "." + e.field(), e.message())));
            all.add(parameter);
        }
        return all;
    }

    /**
     * Returns the value of each parameter that has one.
     *
     * @param given the values of a request
     */
    Map<String, JsonNode> values(ObjectNode given, List<FieldError> errors) {
        Map<String, JsonNode> values = new LinkedHashMap<>();
        given.properties().forEach(member -> {
            String at = "parameters." + member.getKey();
            if (!declared.containsKey(member.getKey())) {
                errors.add(new FieldError(
                        NAME.problem(member.getKey()) == null ? at : "parameters",
                        "is not a parameter of this template (it has: " + String.join(", ", declared.keySet()) + ")"));
            } else if (!member.getValue().isNull()) {
                Json.check(at, member.getValue(), errors);
                values.put(member.getKey(), member.getValue());
            }
        });
        for (Parameter p : declared.values()) {
            if (values.containsKey(p.name())) {
                continue;
            }
            if (p.defaultValue() != null) {
                values.put(p.name(), p.defaultValue());
            } else if (p.isRequired()) {
                errors.add(new FieldError("parameters." + p.name(), "is required"));
            }
        }
        return values;
    }

    /** Returns the names of the parameters that the strings of a node refer to. */
    Set<String> references(JsonNode node) {
        Set<String> found = new HashSet<>();
        collect(node, found);
        return found;
    }

    private void collect(JsonNode node, Set<String> found) {
        if (node.isTextual()) {
            Matcher m = REFERENCE.matcher(node.textValue());
            while (m.find()) {
                if (m.group(1).isEmpty() && declared.containsKey(m.group(2))) {
                    found.add(m.group(2));
                }
            }
        }
        node.forEach(child -> collect(child, found));
    }

    /** Returns the name of the parameter that a string consists of; null if it is anything else. */
    @Nullable
    String wholeReference(JsonNode node) {
        Matcher m = node.isTextual() ? REFERENCE.matcher(node.textValue()) : null;
        return m != null && m.matches() && m.group(1).isEmpty() && declared.containsKey(m.group(2)) ? m.group(2) : null;
    }

    /** The room for the strings that an apply makes, in characters, so that repeated parameters do not fill the memory. */
    static final class Room {
        private long left;

        Room(long chars) {
            this.left = chars;
        }

        void take(long chars) {
            left -= chars;
            if (left < 0) {
                throw ServiceException.invalid(
                        TemplateKind.PARAMETERS,
                        "make the entries larger than " + (SetMember.MAX_BYTES >> 20) + " MiB together");
            }
        }
    }

    /** Returns a node with the values of parameters in its strings. One that is nothing but a reference gets its type. */
    JsonNode replaced(JsonNode node, Map<String, JsonNode> values, Room room) {
        if (node.isTextual()) {
            String whole = wholeReference(node);
            JsonNode value = whole == null ? null : values.get(whole);
            if (value != null) {
                room.take(chars(value));
                return value;
            }
            return TextNode.valueOf(replaced(node.textValue(), values, room));
        }
        if (node instanceof ObjectNode object) {
            ObjectNode copy = Json.object();
            object.properties().forEach(m -> copy.set(m.getKey(), replaced(m.getValue(), values, room)));
            return copy;
        }
        if (node.isArray()) {
            ArrayNode copy = Json.object().arrayNode();
            node.forEach(item -> copy.add(replaced(item, values, room)));
            return copy;
        }
        return node;
    }

    /** Returns a string with the values of parameters. */
    String replaced(String text, Map<String, JsonNode> values, Room room) {
        room.take(text.length());
        Matcher m = REFERENCE.matcher(text);
        StringBuilder out = new StringBuilder();
        while (m.find()) {
            JsonNode value = values.get(m.group(2));
            String by;
            if (!declared.containsKey(m.group(2))) {
                by = m.group();
            } else if (!m.group(1).isEmpty()) {
                by = "${" + m.group(2) + "}";
            } else {
                by = value == null ? m.group() : value.isTextual() ? value.textValue() : Json.write(value);
            }
            room.take(by.length());
            m.appendReplacement(out, Matcher.quoteReplacement(by));
        }
        return m.appendTail(out).toString();
    }

    /** Returns about how many characters a value takes. */
    private static long chars(JsonNode value) {
        long chars = value.isTextual() ? value.textValue().length() : 8;
        for (JsonNode child : value) {
            chars += chars(child);
        }
        return chars;
    }

    /** Returns a node in which the strings of {@code names} are no references. */
    static JsonNode escaped(JsonNode node, Set<String> names) {
        if (node.isTextual()) {
            Matcher m = REFERENCE.matcher(node.textValue());
            StringBuilder out = new StringBuilder();
            while (m.find()) {
                // what is escaped already needs one more
                String by = names.contains(m.group(2)) ? "$" + m.group() : m.group();
                m.appendReplacement(out, Matcher.quoteReplacement(by));
            }
            return TextNode.valueOf(m.appendTail(out).toString());
        }
        if (node instanceof ObjectNode object) {
            ObjectNode copy = Json.object();
            object.properties().forEach(m -> copy.set(m.getKey(), escaped(m.getValue(), names)));
            return copy;
        }
        if (node.isArray()) {
            ArrayNode copy = Json.object().arrayNode();
            List<JsonNode> items = new ArrayList<>();
            node.forEach(items::add);
            items.forEach(item -> copy.add(escaped(item, names)));
            return copy;
        }
        return node;
    }
}
