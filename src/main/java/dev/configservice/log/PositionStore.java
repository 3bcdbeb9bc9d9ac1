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

    /** Returns the stored position; empty if there is none, or if it was damaged or not stored by this cluster. */
    Future<Optional<Kept>> load();

    /**
     * Moves the stored position from {@code before} to {@code after}. Has no effect if another node has already moved
     * it further.
     *
     * @param units the last revision of each unit that changed in between; 0 for one that has no resources any more
     * @param was the last revision of the same units before; 0 for a new unit
     */
    Future<Void> advance(
            Position before, Position after, Change.Hash hash, Map<String, Long> units, Map<String, Long> was);

    /** Replaces the stored position and all units. */
    Future<Void> replace(Position position, Change.Hash hash, Map<String, Long> units);
}
