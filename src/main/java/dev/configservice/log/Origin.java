package dev.configservice.log;

import dev.configservice.access.Actor;
import org.jspecify.annotations.Nullable;

/**
 * The origin of a command.
 *
 * @param actor who issued the command
 * @param idempotencyKey the Idempotency-Key of the request, with the digest of the request; null if it has none
 * @param traceParent the span of the request as a W3C traceparent; null if it is not traced
 */
public record Origin(
        Actor actor,
        @Nullable String requestId,
        @Nullable String comment,
        @Nullable IdempotencyKey idempotencyKey,
        @Nullable String traceParent) {

    /** The origin of commands that the service issues by itself. */
    public static final Origin SYSTEM = new Origin(Actor.SYSTEM, null, null, null, null);

    /** Returns the same origin without an Idempotency-Key. */
    public Origin withoutKey() {
        return new Origin(actor, requestId, comment, null, traceParent);
    }

    /** A key that a caller gives to a request. The same key from the same caller within a day repeats the request. */
    public record IdempotencyKey(String caller, String key, String digestHex) {}
}
