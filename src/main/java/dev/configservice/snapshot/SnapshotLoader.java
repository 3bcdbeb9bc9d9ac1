package dev.configservice.snapshot;

import dev.configservice.error.ErrorCode;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;

/** The source of snapshots that no tier of the cache has: PostgreSQL or, on an edge, a core node. */
public interface SnapshotLoader {
    /** Returns the name of the source in metrics. */
    String name();

    /** A unit; as new as {@code need}, unless the log went back or its holder is cut off from it. */
    Future<Snapshot> load(UnitId unit, Position need);

    /** Finds the path of the resource with an id. Fails with {@link ErrorCode#NOT_FOUND} if there never was one. */
    Future<Located> path(String kind, String id);

    /**
     * The path of a resource, and the revision as of which it is known. Before that revision the resource may not
     * exist yet.
     */
    record Located(Resources.Path path, long revision) {}
}
