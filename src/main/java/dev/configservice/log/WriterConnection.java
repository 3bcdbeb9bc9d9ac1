package dev.configservice.log;

import dev.configservice.error.ServiceException;
import dev.configservice.postgres.Postgres;
import io.vertx.core.Future;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one connection that this node writes through. When it is replaced, the backend of the old connection is guaranteed
 * to have ended: it can commit nothing any more, and holds no lock.
 */
final class WriterConnection {
    private static final Duration DEADLINE = Duration.ofSeconds(2);
    private static final String SETUP =
            "set statement_timeout = '2500ms'; set lock_timeout = '2500ms'; set synchronous_commit = on";
    private static final String WHO_AM_I = """
            select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()""";
    private static final String END = """
            select pg_terminate_backend(pid, 1500) as ended
            from pg_stat_activity where pid = $1 and backend_start = $2""";
    private static final String STILL_THERE =
            "select count(*) as n from pg_stat_activity where pid = $1 and backend_start = $2";

    /**
     * A statement whose commit waits for the write-ahead log up to itself, and so for all that was committed before: it
     * locks a row, which is logged. It changes nothing.
     */
    private static final String DURABLE = "select 1 from head for update";

    private final Postgres postgres;
    private @Nullable PgConnection connection;
    private boolean warned;
    private @Nullable Backend backend;

    WriterConnection(Postgres postgres) {
        this.postgres = postgres;
    }

    /** A server process. Its start time is needed because process ids are reused. */
    private record Backend(int pid, OffsetDateTime start) {}

    PgConnection get() {
        return Objects.requireNonNull(connection, "not connected");
    }

    Future<Void> ready() {
        return connection != null ? Future.succeededFuture() : replaceEndingOld();
    }

    void drop() {
        PgConnection old = connection;
        connection = null;
        if (old != null) {
            Postgres.drop(old);
        }
    }

    /**
     * Drops the connection, opens a new one, and ends the backend of the old one. After that, a transaction that the
     * old backend has not committed can never be committed.
     */
    Future<Void> replaceEndingOld() {
        Backend old = backend;
        drop();
        return connect()
                .compose(v -> old == null ? Future.succeededFuture() : end(old))
                .recover(e -> {
                    // the next attempt must still end the old backend, not that of the connection just opened
                    backend = old;
                    drop();
                    return Future.failedFuture(e);
                });
    }

    /** Forgets the warnings of earlier calls. */
    void expectNoWarning() {
        warned = false;
    }

    /**
     * Tells whether the server warned during the last call. If somebody cancels the wait for a synchronous standby, a
     * commit succeeds with a warning, although it is only local.
     */
    boolean isWarned() {
        return warned;
    }

    /**
     * Completes when all that is committed so far is durable wherever PostgreSQL was asked to make it durable. Fails at
     * the deadline.
     */
    Future<Void> durable(Duration deadline) {
        return durably(() -> postgres.within(
                        deadline, get(), () -> get().query(DURABLE).execute()))
                .mapEmpty();
    }

    /** Runs a statement that commits. Fails if PostgreSQL did not make durable what it committed. */
    <T> Future<T> durably(Supplier<Future<T>> statement) {
        expectNoWarning();
        return statement
                .get()
                .compose(done -> warned
                        ? Future.failedFuture(ServiceException.unavailable("PostgreSQL did not wait for its standby"))
                        : Future.succeededFuture(done));
    }

    private Future<Void> connect() {
        return postgres.connect(DEADLINE).compose(fresh -> {
            fresh.noticeHandler(notice -> warned |= "WARNING".equals(notice.getSeverity()));
            fresh.closeHandler(v -> {
                if (connection == fresh) {
                    connection = null;
                }
            });
            return postgres.within(DEADLINE, fresh, () -> fresh.query(SETUP).execute())
                    .compose(v -> postgres.within(
                            DEADLINE, fresh, () -> fresh.query(WHO_AM_I).execute()))
                    .onFailure(e -> Postgres.drop(fresh))
                    .map(rows -> {
                        var row = rows.iterator().next();
                        backend = new Backend(row.getInteger("pid"), row.getOffsetDateTime("backend_start"));
                        connection = fresh;
                        return null;
                    });
        });
    }

    private Future<Void> end(Backend old) {
        Tuple who = Tuple.of(old.pid(), old.start());
        return postgres.within(DEADLINE, get(), () -> get().preparedQuery(END).execute(who))
                .compose(v -> postgres.within(
                        DEADLINE, get(), () -> get().preparedQuery(STILL_THERE).execute(who)))
                .compose(rows -> rows.iterator().next().getLong("n") == 0
                        ? Future.succeededFuture()
                        : Future.failedFuture(ServiceException.unavailable("the old backend still runs")));
    }
}
