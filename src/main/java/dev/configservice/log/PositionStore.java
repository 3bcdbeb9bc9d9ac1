package dev.configservice.log;

import io.vertx.core.Future;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A store in which a node's position in the log survives the node: the position, and the last revision of every unit.
 * With it, a node that starts while PostgreSQL is unreachable knows which units exist. Each call ends within its own
 * deadline.
 */
public interface PositionStore {
    /** The stored position. {@code lookedAt} is the time at which a node last compared it with PostgreSQL. */
    record Kept(Position position, Change.Hash hash, Map<String, Long> units, Instant lookedAt) {}

    Future<Optional<Kept>> load();

    /** Moves what is kept from {@code before} on; without effect where another node has moved it further. */
    Future<Void> advance(Position before, Position after, Change.Hash hash, Map<String, Long> units);

    /** Stores a position in place of the earlier one. */
    Future<Void> replace(Position position, Change.Hash hash, Map<String, Long> units);
}
