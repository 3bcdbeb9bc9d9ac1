package dev.configservice.error;

/** The facts that a caller can be told of. One fact, one code; {@code http} picks the status for each. */
public enum ErrorCode {
    /** The request breaks a rule; the fields say which. */
    INVALID("invalid", "The request is not valid"),
    /** The body cannot be read as JSON. */
    MALFORMED_BODY("malformed-body", "The body is not well-formed JSON"),
    TOO_LARGE("too-large", "The body is too large"),
    /** The body did not arrive in time. */
    REQUEST_TIMEOUT("request-timeout", "The request did not arrive in time"),
    UNSUPPORTED_MEDIA_TYPE("unsupported-media-type", "The body must be JSON"),
    UNAUTHENTICATED("unauthenticated", "A valid key or token is needed"),
    FORBIDDEN("forbidden", "The key or token does not carry the right"),
    NOT_FOUND("not-found", "Not found"),
    METHOD_NOT_ALLOWED("method-not-allowed", "The path does not take this method"),
    /** The request assumes a state that is not the current one, e.g. its path is taken. */
    CONFLICT("conflict", "The request conflicts with what is there"),
    /** {@code If-Match} names another state than the current one. */
    PRECONDITION_FAILED("precondition-failed", "It was changed since it was read"),
    /** One {@code Idempotency-Key} with two different requests. */
    IDEMPOTENCY_KEY_REUSED("idempotency-key-reused", "The Idempotency-Key was used with another request"),
    /** A position that the log no longer holds. */
    GONE("gone", "The log is no longer kept that far back"),
    /** No tier can answer now. */
    UNAVAILABLE("unavailable", "Not available now, ask again"),
    /** The node has not applied the revision that the request asks for. */
    BEHIND("behind", "This node has not seen that revision yet"),
    /** A write whose answer was lost. */
    OUTCOME_UNKNOWN("outcome-unknown", "It is not known whether the write happened"),
    TOO_MANY("too-many", "At the limit, ask again later"),
    /** Encrypted values need a keyset. */
    NO_KEYSET("no-keyset", "The service has no keyset"),
    /** A defect of the service. */
    INTERNAL("internal", "Internal error");

    private final String type;
    private final String title;

    ErrorCode(String type, String title) {
        this.type = type;
        this.title = title;
    }

    /** The code as callers see it: lower case, with dashes. */
    public String type() {
        return type;
    }

    public String title() {
        return title;
    }
}
