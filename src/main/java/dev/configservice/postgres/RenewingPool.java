package dev.configservice.postgres;

import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pool of connections that is replaced when it has given none for a while. Connections that a server accepted but never
 * answered would otherwise fill it for good, as the client waits for them without a deadline. Thread-safe.
 *
 * <p>The deadline for a connection is kept here. With one of its own, the client's pool fails when it is closed while it
 * connects for a request whose time has run out, and its close never ends.
 */
final class RenewingPool {
    private static final Logger log = LoggerFactory.getLogger(RenewingPool.class);

    /** Longer than any statement may run, so that a pool whose connections are only busy is not replaced. */
    private static final long PATIENCE_NANOS = Duration.ofSeconds(15).toNanos();

    private final Vertx vertx;
    private final Duration deadline;
    private final Supplier<Pool> build;
    private volatile Pool pool;
    private volatile boolean failing;
    private long failingSinceNanos;
    private boolean closed;

    /**
     * Creates the first pool.
     *
     * @param deadline the longest wait for a connection
     */
    RenewingPool(Vertx vertx, Duration deadline, Supplier<Pool> build) {
        this.vertx = vertx;
        this.deadline = deadline;
        this.build = build;
        this.pool = build.get();
    }

    Future<SqlConnection> connection() {
        Promise<SqlConnection> promise = Promise.promise();
        long timer = vertx.setTimer(deadline.toMillis(), t -> {
            if (promise.tryFail(ServiceException.unavailable("PostgreSQL gave no connection in time"))) {
                failed();
            }
        });
        pool.getConnection().onComplete(done -> {
            vertx.cancelTimer(timer);
            if (done.failed()) {
                promise.tryFail(done.cause());
                failed();
                return;
            }
            failing = false;
            done.result().exceptionHandler(e -> log.debug("postgres.connection-failed cause={}", e.toString()));
            if (!promise.tryComplete(done.result())) {
                done.result().close();
            }
        });
        return promise.future();
    }

    private void failed() {
        Pool old;
        synchronized (this) {
            long now = System.nanoTime();
            if (!failing) {
                failing = true;
                failingSinceNanos = now;
            }
            if (closed || now - failingSinceNanos < PATIENCE_NANOS) {
                return;
            }
            failingSinceNanos = now;
            old = pool;
            pool = build.get();
        }
        log.debug("postgres.pool-renewed");
        old.close().onFailure(e -> log.debug("postgres.pool-not-closed cause={}", e.toString()));
    }

    Future<Void> close() {
        synchronized (this) {
            closed = true;
        }
        return pool.close();
    }
}
