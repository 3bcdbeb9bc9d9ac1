package dev.configservice.postgres;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.vertx.Backoff;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.ClientBuilder;
import io.vertx.sqlclient.Cursor;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Transaction;
import io.vertx.sqlclient.Tuple;
import io.vertx.sqlclient.impl.SocketConnectionBase;
import io.vertx.sqlclient.internal.SqlConnectionInternal;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database. The client library has no deadlines, so every call here has one. When it passes, the connection's
 * socket is closed, even while the server is still working, and the call fails with {@link ErrorCode#UNAVAILABLE}.
 */
public final class Postgres {
    private static final Logger log = LoggerFactory.getLogger(Postgres.class);

    /** The SQLSTATE for a string that no text can be, because it contains the NUL character. */
    private static final String NOT_TEXT = "22021";

    /** The deadline of a read. */
    public static final Duration READ_DEADLINE = Duration.ofSeconds(1);

    static final int LIST_CONNECTIONS = 4;
    private static final int LISTS_WAITING = 64;
    private static final Duration LIST_TIMEOUT = Duration.ofSeconds(10);

    private static final int PATIENT_TRIES = 30;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(10);

    private final Vertx vertx;
    private final @Nullable PostgresHosts hosts;
    private final @Nullable RenewingPool pool;

    /** Told before each repetition of a statement; null if statements are not repeated. */
    private final @Nullable Consumer<Throwable> retried;

    /**
     * Creates a client with a pool of connections.
     *
     * @param uri postgresql://user:password@host:port/database with parameters as in libpq
     * @throws IllegalArgumentException if the URI is invalid; the message says why, without any part of it that is secret
     */
    public Postgres(Vertx vertx, String uri, int poolSize) {
        this.retried = null;
        this.vertx = vertx;
        PostgresHosts all = new PostgresHosts(vertx, PostgresUri.parse(uri));
        this.hosts = all;
        this.pool = new RenewingPool(
                vertx, READ_DEADLINE, () -> pool(vertx, all, poolSize, 2000).build());
    }

    private static ClientBuilder<Pool> pool(Vertx vertx, PostgresHosts hosts, int size, int waiting) {
        return PgBuilder.pool()
                .with(new PoolOptions()
                        .setMaxSize(size)
                        .setMaxWaitQueueSize(waiting)
                        // no deadline of its own: see RenewingPool
                        .setConnectionTimeout(0))
                .with(new NetClientOptions().setConnectTimeout(1000).setTcpKeepAlive(true))
                .connectingTo(hosts::options)
                .using(vertx);
    }

    /**
     * Returns the same database with a small pool of its own, for statements that may take long. They cannot keep
     * others waiting, and the server ends those that take longer than any deadline.
     */
    public Postgres forLists() {
        PostgresHosts all = Objects.requireNonNull(hosts, "an edge has no database");
        RenewingPool lists = new RenewingPool(
                vertx,
                READ_DEADLINE,
                () -> pool(vertx, all, LIST_CONNECTIONS, LISTS_WAITING)
                        .withConnectHandler(connection -> connection
                                .query("set statement_timeout = " + LIST_TIMEOUT.toMillis())
                                .execute()
                                .eventually(connection::close))
                        .build());
        return new Postgres(this, lists);
    }

    private Postgres(Postgres same, RenewingPool pool) {
        this.vertx = same.vertx;
        this.hosts = same.hosts;
        this.pool = pool;
        this.retried = null;
    }

    private Postgres(Postgres same, Consumer<Throwable> retried) {
        this.vertx = same.vertx;
        this.hosts = same.hosts;
        this.pool = same.pool;
        this.retried = retried;
    }

    private Postgres(Vertx vertx) {
        this.retried = null;
        this.vertx = vertx;
        this.hosts = null;
        this.pool = null;
    }

    /** Returns the database of a node that has none: every call fails. */
    public static Postgres none(Vertx vertx) {
        return new Postgres(vertx);
    }

    /** Tells whether there is a database at all. */
    public boolean isPresent() {
        return pool != null;
    }

    /** Runs one statement on a connection of the pool, within {@link #READ_DEADLINE}. */
    public Future<RowSet<Row>> read(String sql, Tuple arguments) {
        return read(sql, arguments, READ_DEADLINE);
    }

    /**
     * Returns the same database for a job without a caller that waits: while the server is overloaded or unreachable,
     * each statement is repeated with growing pauses. The statements must have the same effect when they are repeated.
     *
     * @param told is called before each repetition
     */
    public Postgres patient(Consumer<Throwable> told) {
        return new Postgres(this, told);
    }

    /** Runs one statement on a connection of the pool. */
    public Future<RowSet<Row>> read(String sql, Tuple arguments, Duration deadline) {
        return retried == null
                ? readOnce(sql, arguments, deadline)
                : readPatiently(sql, arguments, deadline, new Backoff(FIRST_PAUSE, MAX_PAUSE), retried);
    }

    private Future<RowSet<Row>> readPatiently(
            String sql, Tuple arguments, Duration deadline, Backoff pauses, Consumer<Throwable> told) {
        return readOnce(sql, arguments, deadline).recover(e -> {
            if (!isAway(e) || pauses.failures() >= PATIENT_TRIES) {
                return Future.failedFuture(e);
            }
            told.accept(e);
            return vertx.timer(pauses.nextMillis(), TimeUnit.MILLISECONDS)
                    .compose(v -> readPatiently(sql, arguments, deadline, pauses, told));
        });
    }

    private Future<RowSet<Row>> readOnce(String sql, Tuple arguments, Duration deadline) {
        if (pool == null) {
            return Future.failedFuture(ServiceException.unavailable("An edge has no database"));
        }
        return onConnection(
                pool,
                connection -> within(
                        deadline,
                        connection,
                        () -> connection.preparedQuery(sql).execute(arguments)));
    }

    /**
     * Reads the rows of a query in batches, all as of one moment, on a connection of the pool. The event loop does other
     * work between two batches, and only one batch is in memory besides what {@code take} keeps.
     *
     * @param first the number of rows of the first batch
     * @param take takes a batch and returns the number of rows of the next one, or 0 to read no further
     * @param deadline the longest time for a batch
     */
    public Future<Void> scan(
            String sql, Tuple arguments, int first, ToIntFunction<RowSet<Row>> take, Duration deadline) {
        if (pool == null) {
            return Future.failedFuture(ServiceException.unavailable("An edge has no database"));
        }
        return onConnection(
                pool,
                connection -> within(
                                deadline,
                                connection,
                                () -> connection
                                        .begin()
                                        .compose(tx ->
                                                connection.prepare(sql).map(ps -> new Scan(tx, ps.cursor(arguments)))))
                        .compose(scan -> batches(connection, scan.cursor(), first, take, deadline)
                                .compose(v -> within(
                                        deadline,
                                        connection,
                                        () -> scan.cursor()
                                                .close()
                                                .compose(w -> scan.transaction().commit()))))
                        // a transaction that has failed must not go back to the pool
                        .onFailure(e -> drop(connection)));
    }

    /** Does something on a connection of a pool, and gives it back. */
    private static <T> Future<T> onConnection(RenewingPool pool, Function<SqlConnection, Future<T>> work) {
        return pool.connection()
                .compose(connection -> work.apply(connection).eventually(() -> {
                    connection.close();
                    return Future.succeededFuture();
                }))
                .recover(e -> Future.failedFuture(coded(e)));
    }

    private record Scan(Transaction transaction, Cursor cursor) {}

    private Future<Void> batches(
            SqlConnection connection, Cursor cursor, int rows, ToIntFunction<RowSet<Row>> take, Duration deadline) {
        return within(deadline, connection, () -> cursor.read(rows)).compose(batch -> {
            int next = take.applyAsInt(batch);
            return next > 0 && cursor.hasMore()
                    ? batches(connection, cursor, next, take, deadline)
                    : Future.succeededFuture();
        });
    }

    /** Opens a connection outside the pool. Fails at the deadline; a connection that is established later is closed. */
    public Future<PgConnection> connect(Duration deadline) {
        Promise<PgConnection> promise = Promise.promise();
        long timer = vertx.setTimer(
                deadline.toMillis(),
                t -> promise.tryFail(new ServiceException(
                        ErrorCode.UNAVAILABLE, "PostgreSQL did not answer within " + deadline.toMillis() + " ms")));
        PostgresHosts all = Objects.requireNonNull(hosts, "an edge has no database");
        all.connect().onComplete(result -> {
            vertx.cancelTimer(timer);
            if (result.failed()) {
                promise.tryFail(result.cause());
            } else if (!promise.tryComplete(result.result())) {
                drop(result.result());
            }
        });
        return promise.future();
    }

    /** Runs a call on a connection. At the deadline the connection is dropped, which fails the call. */
    public <T> Future<T> within(Duration deadline, SqlConnection connection, Supplier<Future<T>> call) {
        Promise<T> promise = Promise.promise();
        long timer = vertx.setTimer(deadline.toMillis(), t -> {
            drop(connection);
            promise.tryFail(new ServiceException(
                    ErrorCode.UNAVAILABLE, "PostgreSQL did not answer within " + deadline.toMillis() + " ms"));
        });
        call.get().onComplete(result -> {
            vertx.cancelTimer(timer);
            if (result.succeeded()) {
                promise.tryComplete(result.result());
            } else {
                promise.tryFail(result.cause());
            }
        });
        return promise.future();
    }

    /**
     * Closes a connection's socket at once. {@link SqlConnection#close} would wait behind a statement that a hung
     * server never answers.
     */
    public static void drop(SqlConnection connection) {
        if (((SqlConnectionInternal) connection).unwrap().unwrap() instanceof SocketConnectionBase base) {
            base.socket().close();
        } else {
            connection.close();
        }
    }

    /**
     * Tells whether a failure means that the server is unreachable, stopping or unable to run statements for now. If
     * not, the server rejected the statement itself.
     */
    public static boolean isAway(Throwable failure) {
        if (failure instanceof ServiceException e) {
            return e.code() == ErrorCode.UNAVAILABLE;
        }
        if (failure instanceof PgException e) {
            return isAway(e.getSqlState());
        }
        return true;
    }

    /**
     * Tells whether the server refused the statement for now: it is read-only, out of resources, or ended the
     * statement by its own timeout. Nothing was changed, and the statement may succeed later.
     */
    public static boolean isRefusedForNow(Throwable failure) {
        if (!(failure instanceof PgException e) || e.getSqlState() == null) {
            return false;
        }
        String state = e.getSqlState();
        return state.equals("25006")
                || state.equals("57014")
                || state.equals("55P03")
                || isNotMigrated(state)
                || state.startsWith("53");
    }

    /** Tells whether an SQLSTATE means that there is no such table or function: the schema is still to be made. */
    private static boolean isNotMigrated(String sqlState) {
        return sqlState.equals("42P01") || sqlState.equals("42883");
    }

    /**
     * Tells whether an SQLSTATE means that the server is unreachable or unable to run statements for now: no
     * connection, no resources, shutting down, read-only, or a timeout in the server.
     */
    static boolean isAway(@Nullable String sqlState) {
        if (sqlState == null) {
            return false;
        }
        return switch (sqlState) {
            case "25006", "57014", "55P03" -> true;
            default ->
                sqlState.startsWith("57P")
                        || sqlState.startsWith("08")
                        || sqlState.startsWith("53")
                        || isNotMigrated(sqlState);
        };
    }

    /** Converts a failure to one for callers. The message of PostgreSQL goes to the log only. */
    public static ServiceException coded(Throwable failure) {
        if (failure instanceof ServiceException e) {
            return e;
        }
        if (isAway(failure)) {
            log.debug("postgres.unreachable cause={}", failure.toString());
            return new ServiceException(ErrorCode.UNAVAILABLE, "PostgreSQL is unreachable");
        }
        if (failure instanceof PgException e && NOT_TEXT.equals(e.getSqlState())) {
            return ServiceException.notFound("Nothing has a name with the NUL character");
        }
        log.error("postgres.refused cause={}", failure.toString());
        return new ServiceException(ErrorCode.INTERNAL, "The database refused the statement");
    }

    public Future<Void> close() {
        return pool == null ? Future.succeededFuture() : pool.close();
    }
}
