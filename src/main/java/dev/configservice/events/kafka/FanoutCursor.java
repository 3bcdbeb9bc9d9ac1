package dev.configservice.events.kafka;

import dev.configservice.log.Change;
import dev.configservice.postgres.Postgres;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The position of a consumer in the log, and the node that currently acts as this consumer. A node claims the cursor
 * before it acts. When another node has claimed the cursor, the earlier claim can no longer renew, move or release it.
 */
final class FanoutCursor {
    /** The time after which a claim expires if it is not renewed. */
    static final Duration LEASE = Duration.ofSeconds(10);

    private static final Duration DEADLINE = Duration.ofSeconds(2);

    private static final String CREATE = "insert into cursors (name, position) values ($1, $2) on conflict do nothing";
    private static final String CLAIM = """
            update cursors set holder = $2, epoch = epoch + 1, until = now() + $3 * interval '1 second'
            where name = $1 and (until < now() or holder = $2)
            returning position, epoch""";
    private static final String RENEW =
            "update cursors set until = now() + $3 * interval '1 second' where name = $1 and epoch = $2";
    private static final String MOVE = """
            update cursors set position = $3, until = now() + $4 * interval '1 second'
            where name = $1 and epoch = $2
              and exists (select from changes where revision = $3 and hash = decode($5, 'hex'))""";
    private static final String RELEASE = "update cursors set until = now() where name = $1 and epoch = $2";

    private final Postgres postgres;
    private final String name;
    private final String holder;
    private final LongSupplier first;

    /**
     * Creates the cursor of a consumer.
     *
     * @param first the position of a consumer that is new
     */
    FanoutCursor(Postgres postgres, String name, String holder, LongSupplier first) {
        this.first = first;
        this.postgres = postgres;
        this.name = name;
        this.holder = holder;
    }

    /** A claim: the revision up to which everything was sent, and the number of the claim. */
    record Claim(long position, long epoch) {}

    /** Claims the cursor. Returns empty if another node holds it. */
    Future<Optional<Claim>> claim() {
        return postgres.read(CREATE, Tuple.of(name, first.getAsLong()), DEADLINE)
                .compose(v -> postgres.read(CLAIM, Tuple.of(name, holder, LEASE.toSeconds()), DEADLINE))
                .map(rows -> {
                    Iterator<Row> it = rows.iterator();
                    if (!it.hasNext()) {
                        return Optional.empty();
                    }
                    Row row = it.next();
                    return Optional.of(new Claim(row.getLong("position"), row.getLong("epoch")));
                });
    }

    /** Renews a claim. Returns false if another node has claimed the cursor since. */
    Future<Boolean> renew(Claim claim) {
        return postgres.read(RENEW, Tuple.of(name, claim.epoch(), LEASE.toSeconds()), DEADLINE)
                .map(rows -> rows.rowCount() == 1);
    }

    /**
     * Moves the position to that of a change. Returns false, and moves nothing, if another node has claimed the cursor
     * since, or if the log no longer has that change because the database was restored.
     */
    Future<Boolean> move(Claim claim, Change to) {
        return postgres.read(
                        MOVE,
                        Tuple.of(
                                name,
                                claim.epoch(),
                                to.revision(),
                                LEASE.toSeconds(),
                                to.hash().hex()),
                        DEADLINE)
                .map(rows -> rows.rowCount() == 1);
    }

    Future<Void> release(Claim claim) {
        return postgres.read(RELEASE, Tuple.of(name, claim.epoch()), DEADLINE).mapEmpty();
    }
}
