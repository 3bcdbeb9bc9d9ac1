package dev.configservice.snapshot;

import dev.configservice.error.ErrorCode;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;

/** The source of snapshots that no tier of the cache has: PostgreSQL or, on an edge, a core node. */
public interface SnapshotLoader {
    /** Returns the name of the source in metrics. */
    String name();

    /** Loads a unit. It is as new as {@code need}, unless the log went back or the source is cut off from the log. */
    Future<Snapshot> load(UnitId unit, Position need);

    /** Finds the path of the resource with an id. Fails with {@link ErrorCode#NOT_FOUND} if it never existed. */
    Future<Located> path(String kind, String id);

    /**
     * The path of a resource, and a revision at which the resource is known to have been written. At an earlier
     * revision it may not exist yet.
     */
    record Located(Resources.Path path, long revision) {}
}
