package dev.configservice.log;

import io.vertx.core.buffer.Buffer;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One row of the log.
 *
 * @param resource the resource after the change; of a removal its last state, with the version of the removal
 * @param actor who did it; null where nobody did (an expiry)
 * @param hash the chain of hashes up to this row
 */
public record Change(
        Position position,
        UUID eventId,
        Action action,
        Resource resource,
        @Nullable String actor,
        @Nullable String requestId,
        @Nullable String comment,
        Instant occurredAt,
        Hash hash) {

    public long revision() {
        return position.revision();
    }

    /** Tells whether a kind is that of the log's own entries, which begin an epoch; they are no resources. */
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
