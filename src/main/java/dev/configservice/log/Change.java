package dev.configservice.log;

import dev.configservice.access.Actor;
import io.vertx.core.buffer.Buffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One row of the log.
 *
 * @param resource the resource after the change; for a removal its last state, with the version of the removal
 * @param actor who made the change
 * @param hash the hash of the chain up to and including this row
 * @param emptiesUnit whether the unit of the resource has no resources after the change
 * @param set its place in a change set; null if it was written alone
 * @param traceParent the span that wrote it, as a W3C traceparent; null if it was not traced
 */
public record Change(
        Position position,
        UUID eventId,
        Action action,
        Resource resource,
        Actor actor,
        @Nullable String requestId,
        @Nullable String comment,
        Instant occurredAt,
        Hash hash,
        boolean emptiesUnit,
        @Nullable SetMember set,
        @Nullable String traceParent) {

    public long revision() {
        return position.revision();
    }

    /** Returns the approximate size, in bytes. */
    public long size() {
        return 200L + resource.row().length() + resource.sealed().length();
    }

    /** Tells whether a kind is that of the log's own rows. They mark the start of an epoch and are not resources. */
    public static boolean isOfLog(String kind) {
        return kind.equals("log");
    }

    /** A link of the chain of SHA-256 hashes, as lower-case hex. */
    public record Hash(String hex) {
        static Hash of(Buffer bytes) {
            return new Hash(HexFormat.of().formatHex(bytes.getBytes()));
        }
    }
}
