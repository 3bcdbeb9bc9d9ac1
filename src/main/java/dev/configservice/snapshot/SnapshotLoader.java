package dev.configservice.snapshot;

import dev.configservice.error.ErrorCode;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;

/** Where a node gets what no tier of its cache has: PostgreSQL, or, on an edge, a core node. */
public interface SnapshotLoader {
    /** What it loads from, as measures name it. */
    String name();

    /** A unit; as new as {@code need}, unless the log went back or its holder is cut off from it. */
    Future<Snapshot> load(UnitId unit, Position need);

    /** Where the resource with an id belongs; fails with {@link ErrorCode#NOT_FOUND} where there never was one. */
    Future<Located> path(String kind, String id);

    /** Where a resource belongs, and a revision as of which that is known: before it, it may not be there yet. */
    record Located(Resources.Path path, long revision) {}
}
