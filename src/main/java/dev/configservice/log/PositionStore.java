package dev.configservice.log;

import io.vertx.core.Future;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A store outside the node for the position in the log and the last revision of every unit. From it, a node that starts
 * while PostgreSQL is unreachable learns which units exist. Each call ends within a deadline of its own.
 */
public interface PositionStore {
    /** The stored position. {@code lookedAt} is the time at which a node last compared it with PostgreSQL. */
    record Kept(Position position, Change.Hash hash, Map<String, Long> units, Instant lookedAt) {}

    Future<Optional<Kept>> load();

    /**
     * Moves the stored position from {@code before} to {@code after}. Has no effect if another node has already moved
     * it further.
     */
    Future<Void> advance(Position before, Position after, Change.Hash hash, Map<String, Long> units);

    /** Replaces the stored position and all units, unless the stored position is later. */
    Future<Void> replace(Position position, Change.Hash hash, Map<String, Long> units);
}
