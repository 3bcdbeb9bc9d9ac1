package dev.configservice.log;

import dev.configservice.postgres.Postgres;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The job that drops changes older than {@code changes.keep}. It drops whole partitions, the oldest first, in steps
 * that take no lock that writes or reads need. Changes that belong to the history of existing resources are copied
 * first. A partition that a consumer has yet to read is not dropped. Only one node at a time runs the job.
 */
public final class Retention {
    private static final Logger log = LoggerFactory.getLogger(Retention.class);
    private static final long EVERY_MILLIS = Duration.ofMinutes(10).toMillis();
    private static final long FIRST_MILLIS = Duration.ofSeconds(5).toMillis();
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration LONG = Duration.ofMinutes(30);
    private static final int ROWS_AT_ONCE = 10_000;

    /** The id of the advisory lock of this job. Any number will do that no other advisory lock uses. */
    private static final long LOCK = 0x6c6f672d72657431L;

    private static final String TRY_LOCK = "select pg_try_advisory_lock($1) as mine";
    private static final String DROPPABLE =
            "select first, upto, name, state, held_by from droppable_partition($1::text::interval)";
    private static final String LEAVE = "select leave_partition($1, $2, $3) as copied";
    private static final String DROP = "select drop_partition($1, $2)";
    private static final String SIZE = "select set_partition_size($1)";
    private static final String OLD_SECRET_READS = """
            delete from secret_reads where id in (
              select id from secret_reads where occurred_at < now() - $1::text::interval limit $2)""";
    private static final String OLD_DENIALS = """
            delete from access_denials where id in (
              select id from access_denials where occurred_at < now() - $1::text::interval limit $2)""";
    private static final String OLD_HISTORY = """
            delete from history h where (h.kind, h.resource_id, h.version) in (
              select o.kind, o.resource_id, o.version from history o
              where o.occurred_at < now() - $1::text::interval
                -- the change that led to what stands stays: the verification compares with it
                and not exists (select from resources r
                                where r.kind collate "C" = o.kind and r.id = o.resource_id and r.version = o.version)
              limit $2)""";
    private static final String UNUSED_KEYS = """
            delete from key_usage u where u.id in (
              select k.id from key_usage k
              where not exists (select from resources r where r.id = k.id) and k.last_used_at < now() - $1::text::interval
              limit $2)""";

    private final Vertx vertx;
    private final Postgres postgres;
    private final Duration keep;
    private final Duration historyKeep;
    private final long partitionSize;
    private final String[] withHistory;
    private final Counter dropped;
    private volatile boolean held;

    /**
     * Creates the job of a core node.
     *
     * @param keep the age from which changes are dropped; zero for never
     * @param historyKeep the age from which the history of living resources is dropped, too, once the log has dropped it,
     *     but for the change that led to what stands; zero for never
     */
    public Retention(
            Vertx vertx,
            Postgres postgres,
            Duration keep,
            Duration historyKeep,
            long partitionSize,
            ResourceKinds kinds,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.withHistory = kinds.names(ResourceKind::keepsHistory).toArray(String[]::new);
        this.postgres = postgres;
        this.keep = keep;
        this.historyKeep = historyKeep;
        this.partitionSize = partitionSize;
        this.dropped = Counter.builder("config_service_log_partitions_dropped")
                .description("Partitions of the log that this node dropped")
                .register(meters);
        Gauge.builder("config_service_log_held", this, r -> r.held ? 1 : 0)
                .description("1 while a lagging consumer keeps the log from being shortened")
                .register(meters);
    }

    /** Starts running the job every ten minutes, the first time after a few seconds. */
    public void start() {
        vertx.setTimer(ThreadLocalRandom.current().nextLong(FIRST_MILLIS, 5 * FIRST_MILLIS), t -> {
            run();
            vertx.setPeriodic(EVERY_MILLIS, u -> run());
        });
    }

    /**
     * Runs the job once. Succeeds with the number of partitions that were dropped, which is 0 if another node is
     * running the job.
     */
    public Future<Integer> run() {
        return postgres.connect(DEADLINE)
                .compose(connection -> work(connection).eventually(connection::close))
                .onSuccess(n -> {
                    if (n > 0) {
                        log.info("retention.dropped partitions={}", n);
                    }
                })
                .onFailure(e -> {
                    if (Postgres.isAway(e)) {
                        // the feed says so
                        log.debug("retention.failed cause={}", e.toString());
                    } else {
                        log.warn("retention.failed cause={}", e.toString());
                    }
                });
    }

    private Future<Integer> work(PgConnection connection) {
        return ask(connection, TRY_LOCK, Tuple.of(LOCK)).compose(rows -> {
            if (!rows.iterator().next().getBoolean("mine")) {
                return Future.succeededFuture(0);
            }
            // the lock is never released explicitly: it ends with the connection
            return ask(connection, SIZE, Tuple.of(partitionSize))
                    .compose(v -> forget(connection, OLD_SECRET_READS, keep))
                    .compose(v -> forget(connection, OLD_DENIALS, keep))
                    .compose(v -> forget(connection, OLD_HISTORY, historyKeep))
                    .compose(v -> forget(connection, UNUSED_KEYS, Duration.ofDays(1)))
                    .compose(v -> keep.isZero() ? Future.succeededFuture(0) : dropNext(connection, 0));
        });
    }

    /** Deletes rows that are older, so many at a time; none if the age is zero. */
    private Future<Void> forget(PgConnection connection, String delete, Duration age) {
        if (age.isZero()) {
            return Future.succeededFuture();
        }
        return ask(connection, delete, Tuple.of(interval(age), ROWS_AT_ONCE))
                .compose(rows ->
                        rows.rowCount() == ROWS_AT_ONCE ? forget(connection, delete, age) : Future.succeededFuture());
    }

    private static String interval(Duration age) {
        return age.toMillis() + " milliseconds";
    }

    private Future<Integer> dropNext(PgConnection connection, int done) {
        return ask(connection, DROPPABLE, Tuple.of(interval(keep))).compose(rows -> {
            Iterator<Row> it = rows.iterator();
            if (!it.hasNext()) {
                held = false;
                return Future.succeededFuture(done);
            }
            Row row = it.next();
            String consumer = row.getString("held_by");
            held = consumer != null;
            if (consumer != null) {
                log.warn("retention.held consumer={} below_revision={}", consumer, row.getLong("upto"));
                return Future.succeededFuture(done);
            }
            return drop(connection, row).compose(v -> {
                dropped.increment();
                return dropNext(connection, done + 1);
            });
        });
    }

    /** Drops a partition. Its state selects the first step, so that a drop that was interrupted is completed. */
    private Future<Void> drop(PgConnection connection, Row partition) {
        long first = partition.getLong("first");
        String name = partition.getString("name");
        String detach = "alter table changes detach partition \"" + name + "\" ";
        Future<?> detached =
                switch (partition.getString("state")) {
                    case "attached" ->
                        ask(
                                        connection,
                                        LEAVE,
                                        Tuple.of(first, partition.getLong("upto"))
                                                .addArrayOfString(withHistory))
                                .compose(v -> command(connection, detach + "concurrently"));
                    case "detaching" -> command(connection, detach + "finalize");
                    default -> Future.succeededFuture();
                };
        return detached.compose(v -> ask(connection, DROP, Tuple.of(first, name)))
                .mapEmpty();
    }

    private Future<RowSet<Row>> ask(PgConnection connection, String sql, Tuple arguments) {
        return postgres.within(
                LONG, connection, () -> connection.preparedQuery(sql).execute(arguments));
    }

    /** Runs a statement that PostgreSQL does not allow in a transaction. */
    private Future<RowSet<Row>> command(PgConnection connection, String sql) {
        return postgres.within(LONG, connection, () -> connection.query(sql).execute());
    }
}
