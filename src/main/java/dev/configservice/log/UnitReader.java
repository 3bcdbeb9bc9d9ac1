package dev.configservice.log;

import io.vertx.core.Future;

/** The source of the units that writes are checked against. */
@FunctionalInterface
public interface UnitReader {
    /**
     * Returns a unit. It may lack the latest changes of other nodes: a write that was checked against an old state is
     * checked again before it is applied.
     */
    Future<UnitState> read(UnitId unit);

    /**
     * The resources of a unit.
     *
     * @param revision the revision of the last change in the unit; 0 if it has no resources
     */
    record UnitState(long revision, SortedResources resources) {}
}
