package dev.configservice.log;

import org.jspecify.annotations.Nullable;

/**
 * The origin of a command.
 *
 * @param actor who gave it; null where nobody did
 * @param idempotencyKey the key that the caller gave to one request, with the digest of the request; null if it gave none
 */
public record Origin(
        @Nullable String actor,
        @Nullable String requestId,
        @Nullable String comment,
        @Nullable IdempotencyKey idempotencyKey) {

    /** A request's own name: the same from the same caller within a day is the same request. */
    public record IdempotencyKey(String caller, String key, String digestHex) {}
}
