package dev.configservice.node;

import dev.configservice.log.ChangeLog;
import dev.configservice.log.PastChanges;
import dev.configservice.postgres.Postgres;
import dev.configservice.snapshot.RedisServer;
import dev.configservice.snapshot.SnapshotLoader;
import dev.configservice.vertx.BatchedWrites;

/**
 * The sources from which a node's features read data that is not in memory, and the stores for records that are not
 * changes, e.g. key usage.
 *
 * @param name the name of the part that the node reads the log from, for health and metrics
 * @param lists the database for lists, searches and the audit trail, which may take long
 * @param held the size of the snapshots that the node keeps for times when no source is reachable, in bytes
 */
record Sources(
        String name,
        Postgres postgres,
        Postgres lists,
        ChangeLog changeLog,
        PastChanges past,
        RedisServer redis,
        SnapshotLoader loader,
        long held,
        BatchedWrites.Store keyUsage,
        BatchedWrites.Store flagUsage,
        BatchedWrites.Store secretReads,
        BatchedWrites.Store accessDenials) {}
