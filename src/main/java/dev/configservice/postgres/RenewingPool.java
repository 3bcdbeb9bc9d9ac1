package dev.configservice.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pool of connections that is replaced when it has given none for a while. Connections that a server accepted but never
 * answered would otherwise fill it for good, as the client waits for them without a deadline. Thread-safe.
 */
final class RenewingPool {
    private static final Logger log = LoggerFactory.getLogger(RenewingPool.class);

    /** Longer than any statement may run, so that a pool whose connections are only busy is not replaced. */
    private static final long PATIENCE_NANOS = Duration.ofSeconds(15).toNanos();

    private final Supplier<Pool> build;
    private volatile Pool pool;
    private volatile boolean failing;
    private long failingSinceNanos;
    private boolean closed;

    RenewingPool(Supplier<Pool> build) {
        this.build = build;
        this.pool = build.get();
    }

    Future<SqlConnection> connection() {
        return pool.getConnection().onComplete(done -> {
            if (done.failed()) {
                failed();
            } else if (failing) {
                failing = false;
            }
        });
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
