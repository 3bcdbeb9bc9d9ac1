package dev.configservice.log;

import org.jspecify.annotations.Nullable;

/**
 * The origin of a command.
 *
 * @param actor the caller; null if the service itself issued the command
 * @param idempotencyKey the Idempotency-Key of the request, with the digest of the request; null if it has none
 */
public record Origin(
        @Nullable String actor,
        @Nullable String requestId,
        @Nullable String comment,
        @Nullable IdempotencyKey idempotencyKey) {

    /** A key that a caller gives to a request. The same key from the same caller within a day repeats the request. */
    public record IdempotencyKey(String caller, String key, String digestHex) {}
}
