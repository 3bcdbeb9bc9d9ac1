package dev.configservice.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object, read field by field. What is wrong is collected; {@link #done} fails with all of it at once, and with
 * every field that was not asked for.
 */
public final class FieldReader {
    private final ObjectNode object;
    private final boolean nullIsAbsent;
    private final String prefix;
    private final List<FieldError> errors;
    private final Set<String> known = new LinkedHashSet<>();

    private FieldReader(ObjectNode object, boolean nullIsAbsent, String prefix, List<FieldError> errors) {
        this.object = object;
        this.nullIsAbsent = nullIsAbsent;
        this.prefix = prefix;
        this.errors = errors;
    }

    /** A write: null clears an optional field, and is refused for one that is required. */
    public static FieldReader write(ObjectNode object) {
        return new FieldReader(object, false, "", new ArrayList<>());
    }

    /** A question: null is as if it were not given. */
    public static FieldReader read(ObjectNode object) {
        return new FieldReader(object, true, "", new ArrayList<>());
    }

    /** Tells whether a field is given, even if it is null. */
    public boolean has(String field) {
        known.add(field);
        JsonNode node = object.get(field);
        return node != null && !(nullIsAbsent && node.isNull());
    }

    /** A field; null where it is not given, or is null. */
    public @Nullable JsonNode node(String field) {
        known.add(field);
        JsonNode node = object.get(field);
        return node == null || node.isNull() ? null : node;
    }

    public void error(String field, String message) {
        errors.add(new FieldError(prefix + field, message));
    }

    public List<FieldError> errors() {
        return errors;
    }

    /** A text that must be given; empty where it is wrong. */
    public String required(String field, StringRule rule) {
        if (node(field) == null) {
            error(field, object.has(field) ? "may not be null" : "is required");
            return "";
        }
        String value = text(field, rule);
        return value == null ? "" : value;
    }

    /** A text; null where it is not given, is null, or is wrong. */
    public @Nullable String text(String field, StringRule rule) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isTextual()) {
            error(field, "must be a text");
            return null;
        }
        String problem = rule.problem(node.textValue());
        if (problem != null) {
            error(field, problem);
            return null;
        }
        return node.textValue();
    }

    /** True or false; null where it is not given, is null, or is wrong. */
    public @Nullable Boolean bool(String field) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isBoolean()) {
            error(field, "must be true or false");
            return null;
        }
        return node.booleanValue();
    }

    /** A whole number; null where it is not given, is null, or is wrong. */
    public @Nullable Long integer(String field, long min, long max) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
            error(field, "must be a whole number from " + min + " to " + max);
            return null;
        }
        return node.longValue();
    }

    /** A time; null where it is not given, is null, or is wrong. */
    public @Nullable Instant time(String field) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        Instant at = node.isTextual() ? Times.parse(node.textValue()) : null;
        if (at == null) {
            error(field, Times.EXPECTED);
        }
        return at;
    }

    /** A list of texts; null where it is not given, is null, or is wrong. */
    public @Nullable List<String> texts(String field, StringRule rule, int max) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isArray() || node.size() > max) {
            error(field, "must be a list of at most " + max + " texts");
            return null;
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            JsonNode item = node.get(i);
            String problem = item.isTextual() ? rule.problem(item.textValue()) : "must be a text";
            if (problem != null) {
                error(field + "[" + i + "]", problem);
            } else {
                texts.add(item.textValue());
            }
        }
        return texts;
    }

    /** Any JSON value that can be kept; null where it is not given, is null, or cannot. */
    public @Nullable JsonNode value(String field) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        int before = errors.size();
        Json.check(prefix + field, node, errors);
        return errors.size() > before ? null : node;
    }

    /** A field that may be null in the object but not here: says so where it is. */
    public void refuseNull(String field) {
        if (object.has(field) && object.get(field).isNull()) {
            error(field, "may not be null");
        }
    }

    /** Fields that cannot be written: they may only repeat what stands. */
    public void readOnly(ObjectNode stored, String... fields) {
        for (String field : fields) {
            known.add(field);
            JsonNode given = object.get(field);
            if (given != null && !given.equals(stored.get(field)) && !sameNumber(given, stored.get(field))) {
                error(field, "cannot be changed");
            }
        }
    }

    private static boolean sameNumber(JsonNode a, @Nullable JsonNode b) {
        return b != null && a.isIntegralNumber() && b.isIntegralNumber() && a.longValue() == b.longValue();
    }

    /** Fails where anything was wrong, or a field was given that nobody asked for. */
    public void done() {
        unknown();
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    /** Says which fields were given that nobody asked for. */
    public void unknown() {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name) && errors.size() < 100) {
                String shown = Json.textProblem(name) == null && name.length() <= 100 ? name : "(a field)";
                errors.add(new FieldError(prefix + shown, "is not known (known: " + String.join(", ", known) + ")"));
            }
        });
    }
}
