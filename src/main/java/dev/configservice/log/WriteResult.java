package dev.configservice.log;

/**
 * The result of a write.
 *
 * @param resource the resource after the write; for a removal its last state
 * @param revision the revision of the write; if nothing changed, the current one of the resource
 * @param replayed whether the result is that of an earlier request with the same Idempotency-Key
 */
public record WriteResult(Resource resource, long revision, boolean replayed) {}
