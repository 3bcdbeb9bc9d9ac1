package dev.configservice.error;

/** The failures that are reported to callers. Each failure has its own code; {@code http} picks the status for it. */
public enum ErrorCode {
    /** The request breaks a rule; the field errors name it. */
    INVALID("invalid", "The request is not valid"),
    /** The body cannot be read as JSON. */
    MALFORMED_BODY("malformed-body", "The body is not well-formed JSON"),
    TOO_LARGE("too-large", "The body is too large"),
    /** The body did not arrive in time. */
    REQUEST_TIMEOUT("request-timeout", "The request did not arrive in time"),
    URI_TOO_LONG("uri-too-long", "The request line is too long"),
    HEADERS_TOO_LARGE("headers-too-large", "The headers are too large"),
    UNSUPPORTED_MEDIA_TYPE("unsupported-media-type", "The body must be JSON"),
    UNAUTHENTICATED("unauthenticated", "A valid API key or token is required"),
    FORBIDDEN("forbidden", "The API key or token lacks the required right"),
    NOT_FOUND("not-found", "Not found"),
    METHOD_NOT_ALLOWED("method-not-allowed", "The path does not allow this method"),
    /** The request does not fit the current state, e.g. the resource already exists. */
    CONFLICT("conflict", "The request conflicts with the current state"),
    /** A layer, or what else is read together, would become larger than it may be. */
    LAYER_FULL("layer-full", "The layer is full"),
    /** {@code If-Match} does not match the current revision. */
    PRECONDITION_FAILED("precondition-failed", "The resource has changed since it was read"),
    /** An import would change more than one change set can. */
    TOO_MANY_CHANGES("too-many-changes", "Too many changes at once"),
    /** One {@code Idempotency-Key} was used for two different requests. */
    IDEMPOTENCY_KEY_REUSED("idempotency-key-reused", "The Idempotency-Key was used for another request"),
    /** The request names a position that the log no longer holds. */
    GONE("gone", "The log no longer holds this position"),
    /** No tier can answer at the moment. */
    UNAVAILABLE("unavailable", "Temporarily unavailable, retry"),
    /** The node has not applied the revision that the request asks for. */
    BEHIND("behind", "This node has not applied that revision yet"),
    /** The response to a write was lost. */
    OUTCOME_UNKNOWN("outcome-unknown", "The outcome of the write is unknown"),
    /** The service is known, but none of its instances can be picked. */
    NO_INSTANCE("no-instance", "No instance of the service can be picked now"),
    TOO_MANY("too-many", "A limit is reached, retry later"),
    /** The request needs encrypted values, but the service has no keyset. */
    NO_KEYSET("no-keyset", "The service has no keyset"),
    /** The judgement of a value, or of all stored values, by a schema takes too long. */
    SCHEMA_TOO_COSTLY("schema-too-costly", "The check against a schema takes too long"),
    /** A defect of the service. */
    INTERNAL("internal", "Internal error");

    private final String type;
    private final String title;

    ErrorCode(String type, String title) {
        this.type = type;
        this.title = title;
    }

    /** Returns the code as callers see it: lower case, with dashes. */
    public String type() {
        return type;
    }

    public String title() {
        return title;
    }
}
