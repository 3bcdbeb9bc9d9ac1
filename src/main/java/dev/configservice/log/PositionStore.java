package dev.configservice.log;

import io.vertx.core.Future;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Where a node's place in the log outlives it: the position, and the last revision of every unit, so that a node that
 * starts while PostgreSQL is away knows what there is. Each call ends within a deadline of its own.
 */
public interface PositionStore {
    /**
     * What was kept. {@code lookedAt} is when a node last compared it with PostgreSQL.
     */
    record Kept(Position position, Change.Hash hash, Map<String, Long> units, Instant lookedAt) {}

    Future<Optional<Kept>> load();

    /** Moves what is kept from {@code before} on; without effect where another node has moved it further. */
    Future<Void> advance(Position before, Position after, Change.Hash hash, Map<String, Long> units);

    /** Keeps this, whatever was kept of an earlier position. */
    Future<Void> replace(Position position, Change.Hash hash, Map<String, Long> units);
}
