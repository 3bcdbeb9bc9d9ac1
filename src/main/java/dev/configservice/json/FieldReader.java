package dev.configservice.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A reader for the fields of a JSON object. It collects errors. {@link #done} fails with all of them at once, including
 * an error for each field that was never read.
 */
public final class FieldReader {
    private final ObjectNode object;
    private final boolean nullIsAbsent;
    private final String prefix;
    private final List<FieldError> errors;
    private final Set<String> known = new LinkedHashSet<>();
    private final Set<String> ignored = new HashSet<>();

    private FieldReader(ObjectNode object, boolean nullIsAbsent, String prefix, List<FieldError> errors) {
        this.object = object;
        this.nullIsAbsent = nullIsAbsent;
        this.prefix = prefix;
        this.errors = errors;
    }

    /** Returns a reader for a write: null clears an optional field, and is refused for a required one. */
    public static FieldReader write(ObjectNode object) {
        return new FieldReader(object, false, "", new ArrayList<>());
    }

    /** Returns a reader for a query: null means that the field is absent. */
    public static FieldReader read(ObjectNode object) {
        return new FieldReader(object, true, "", new ArrayList<>());
    }

    /** Tells whether a field is present. In a write, a field that is null is present. */
    public boolean has(String field) {
        known.add(field);
        JsonNode node = object.get(field);
        return node != null && !(nullIsAbsent && node.isNull());
    }

    /** Ignores fields that only answers have, so that a caller can send back what it has read. */
    public void ignore(String... fields) {
        ignored.addAll(List.of(fields));
    }

    /** Returns a field; null if it is absent or null. */
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

    /** Returns a required string. If it is missing or not valid, adds an error and returns an empty string. */
    public String required(String field, StringRule rule) {
        if (node(field) == null) {
            error(field, object.has(field) ? "may not be null" : "is required");
            return "";
        }
        String value = text(field, rule);
        return value == null ? "" : value;
    }

    /** Returns a string; null if it is absent, null or not valid. */
    public @Nullable String text(String field, StringRule rule) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isTextual()) {
            error(field, "must be a string");
            return null;
        }
        String problem = rule.problem(node.textValue());
        if (problem != null) {
            error(field, problem);
            return null;
        }
        return node.textValue();
    }

    /** Returns a boolean; null if it is absent, null or not valid. */
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

    /** Returns a whole number; null if it is absent, null or not valid. */
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

    /** Returns a time; null if it is absent, null or not valid. */
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

    /** Returns the valid strings of an array; null if it is absent, null, too long or not an array. */
    public @Nullable List<String> texts(String field, StringRule rule, int max) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        if (!node.isArray() || node.size() > max) {
            error(field, "must be an array of at most " + max + " strings");
            return null;
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            JsonNode item = node.get(i);
            String problem = item.isTextual() ? rule.problem(item.textValue()) : "must be a string";
            if (problem != null) {
                error(field + "[" + i + "]", problem);
            } else {
                texts.add(item.textValue());
            }
        }
        return texts;
    }

    /** Returns a JSON value of any type; null if it is absent, null or cannot be stored. */
    public @Nullable JsonNode value(String field) {
        JsonNode node = node(field);
        if (node == null) {
            return null;
        }
        int before = errors.size();
        Json.check(prefix + field, node, errors);
        return errors.size() > before ? null : node;
    }

    /** Adds an error if a field is null. Meant for optional fields that cannot be cleared. */
    public void refuseNull(String field) {
        if (object.has(field) && object.get(field).isNull()) {
            error(field, "may not be null");
        }
    }

    /** Adds an error for each of these fields that is given with another value than the stored one. */
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

    /** Fails if there are errors, or if the object has a field that was never read. */
    public void done() {
        unknown();
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
    }

    /** Adds an error for each field of the object that was never read. */
    public void unknown() {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name) && !ignored.contains(name) && errors.size() < 100) {
                String shown = Json.textProblem(name) == null && name.length() <= 100 ? name : "(a field)";
                errors.add(new FieldError(prefix + shown, "is not known (known: " + String.join(", ", known) + ")"));
            }
        });
    }
}
