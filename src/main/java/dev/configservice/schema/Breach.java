package dev.configservice.schema;

import dev.configservice.error.FieldError;

/**
 * A rule of a schema that a value breaks.
 *
 * @param schema the name of the schema
 * @param path the place in the value, e.g. {@code value.hosts[0].port}
 * @param rule the keyword of JSON Schema
 * @param message the rule in words
 */
public record Breach(String schema, String path, String rule, String message) {
    /** Returns the error for a caller who may see the value. */
    public FieldError error() {
        return new FieldError(path, message + " (schema '" + schema + "', " + rule + ")");
    }

    /** Returns the error for a value that is encrypted: it tells nothing of the value. */
    public FieldError maskedError() {
        return new FieldError("value", "does not fit the schema '" + schema + "'");
    }
}
