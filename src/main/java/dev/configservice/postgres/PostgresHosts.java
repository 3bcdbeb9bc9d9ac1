package dev.configservice.postgres;

import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.SslMode;
import io.vertx.pgclient.impl.PgConnectionFactory;
import io.vertx.sqlclient.SqlConnectOptions;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers of a database. With several, each new connection goes to the first that answers and, if the address asks for
 * it, takes writes, beginning with the one that did so last. Thread-safe.
 */
final class PostgresHosts {
    private static final Logger log = LoggerFactory.getLogger(PostgresHosts.class);
    private static final long PROBE_MILLIS = 1000;
    private static final int MAX_ATTEMPTS = 8;
    private static final long ATTEMPT_MILLIS = 3000;

    private static final String IS_READ_ONLY =
            "select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only";

    private final Vertx vertx;
    private final PostgresUri uri;
    private final AtomicInteger attempts = new AtomicInteger();
    private volatile int current;

    PostgresHosts(Vertx vertx, PostgresUri uri) {
        this.vertx = vertx;
        this.uri = uri;
    }

    /** Returns the options for the next connection. */
    Future<SqlConnectOptions> options() {
        return uri.hosts().size() == 1 && !uri.targetsPrimary() ? of(0).map(o -> o) : probe(current, 0);
    }

    /** Opens a connection. Fails at once if too many attempts are under way. */
    Future<PgConnection> connect() {
        return options().compose(options -> attempt((PgConnectOptions) options));
    }

    /**
     * Begins to connect. An attempt that takes too long is given up, with its socket: the client itself would wait for ever
     * for a server that accepts connections and answers nothing.
     */
    private Future<PgConnection> attempt(PgConnectOptions options) {
        if (attempts.incrementAndGet() > MAX_ATTEMPTS) {
            attempts.decrementAndGet();
            return Future.failedFuture(
                    ServiceException.unavailable("PostgreSQL does not answer the connections that were begun"));
        }
        PgConnectionFactory client = new PgConnectionFactory((VertxInternal) vertx);
        return client.connect(vertx.getOrCreateContext(), options)
                .map(PgConnection::cast)
                // who uses it sees the failure of a call, or the end of the connection
                .onSuccess(c -> c.exceptionHandler(e -> log.debug("postgres.connection-failed cause={}", e.toString())))
                .timeout(ATTEMPT_MILLIS, TimeUnit.MILLISECONDS)
                .onComplete(done -> {
                    attempts.decrementAndGet();
                    if (done.failed()) {
                        client.close(Promise.<Void>promise());
                    }
                });
    }

    private Future<PgConnectOptions> of(int host) {
        // files are read only for TLS
        return uri.sslMode() == SslMode.DISABLE
                ? Future.succeededFuture(uri.options(uri.hosts().get(host)))
                : vertx.executeBlocking(() -> uri.options(uri.hosts().get(host)), false);
    }

    private Future<SqlConnectOptions> probe(int host, int tried) {
        if (tried == uri.hosts().size()) {
            return Future.failedFuture(ServiceException.unavailable(
                    "None of the servers of PostgreSQL answers" + (uri.targetsPrimary() ? " and takes writes" : "")));
        }
        return of(host).compose(options -> isWanted(options).transform(wanted -> {
            if (wanted.succeeded() && wanted.result()) {
                if (current != host) {
                    current = host;
                    log.info("postgres.host host={}", uri.hosts().get(host));
                }
                return Future.succeededFuture(options);
            }
            return probe((host + 1) % uri.hosts().size(), tried + 1);
        }));
    }

    private Future<Boolean> isWanted(PgConnectOptions options) {
        Future<PgConnection> connecting = attempt(options);
        return connecting
                .compose(connection -> connection.query(IS_READ_ONLY).execute().eventually(() -> {
                    Postgres.drop(connection);
                    return Future.succeededFuture();
                }))
                .map(rows -> !uri.targetsPrimary() || !rows.iterator().next().getBoolean("read_only"))
                .timeout(PROBE_MILLIS, TimeUnit.MILLISECONDS);
    }
}
