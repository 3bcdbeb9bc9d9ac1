package dev.configservice.log;

/**
 * The result of a write.
 *
 * @param resource the resource after it; of a removal its last state
 * @param revision the revision of the write; if nothing changed, the current one
 * @param replayed whether an earlier request with the same Idempotency-Key did it
 */
public record WriteResult(Resource resource, long revision, boolean replayed) {}
