package dev.configservice.node;

import dev.configservice.log.ChangeLog;
import dev.configservice.log.PastChanges;
import dev.configservice.postgres.Postgres;
import dev.configservice.snapshot.SnapshotLoader;
import dev.configservice.snapshot.SnapshotStore;
import dev.configservice.vertx.BatchedWrites;

/**
 * The sources from which the features of a node get what is not in memory, and to which they write what is not a
 * change.
 *
 * @param name of what the node follows the log through, for health and metrics
 * @param held how many snapshots are kept for when nobody can be asked
 */
record Sources(
        String name,
        Postgres postgres,
        ChangeLog changeLog,
        PastChanges past,
        SnapshotStore redis,
        SnapshotLoader loader,
        int held,
        BatchedWrites.Store keyUsage,
        BatchedWrites.Store flagUsage,
        BatchedWrites.Store secretReads) {}
