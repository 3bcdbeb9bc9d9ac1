package dev.configservice.log;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of a write.
 *
 * @param resource the resource after the write; for a removal its last state
 * @param revision the revision of the write; if nothing changed, the current one of the resource
 * @param replayed whether the result is that of an earlier request with the same Idempotency-Key
 * @param before the resource before the write; null if there was none, or if the result is that of an earlier request
 * @param warnings what the caller should know about the write, for people
 */
public record WriteResult(
        Resource resource,
        long revision,
        boolean replayed,
        @Nullable Resource before,
        List<String> warnings) {
    public WriteResult(Resource resource, long revision, boolean replayed, @Nullable Resource before) {
        this(resource, revision, replayed, before, List.of());
    }

    /**
     * The result of a change set.
     *
     * @param firstRevision the revision of its first change; 0 if nothing was written
     * @param members the result of each command, in their order; the revision of one that would only be written is 0. Empty
     *     if the result is that of an earlier request
     */
    public record OfSet(long firstRevision, List<WriteResult> members, boolean replayed) {}
}
