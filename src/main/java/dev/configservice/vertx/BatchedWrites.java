package dev.configservice.vertx;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Values that are collected in memory and written in batches. A batch is sent with the same id until it is confirmed,
 * so that a store that remembers ids writes it once. In the meantime the source keeps collecting, within a limit of its
 * own. Thread-safe.
 */
public final class BatchedWrites {
    private static final Logger log = LoggerFactory.getLogger(BatchedWrites.class);

    private final Vertx vertx;
    private final String name;
    private final Duration every;
    private final Supplier<@Nullable String> source;
    private final Store store;
    private final Supplier<UUID> ids;
    private @Nullable Batch unconfirmed;
    private @Nullable Future<Void> running;
    private boolean failing;

    /** The target of the batches. */
    @FunctionalInterface
    public interface Store {
        /**
         * Writes a batch. One that was written under the same id before is not written again.
         *
         * @param rows a JSON array
         */
        Future<Void> write(UUID batch, String rows);
    }

    private record Batch(UUID id, String rows) {}

    /**
     * Creates batches, which are not written periodically before {@link #start}.
     *
     * @param name the name in logs
     * @param every the pause between two writes
     * @param source removes and returns the collected values, as a JSON array; null if there are none
     */
    public BatchedWrites(
            Vertx vertx,
            String name,
            Duration every,
            Supplier<@Nullable String> source,
            Store store,
            Supplier<UUID> ids) {
        this.vertx = vertx;
        this.name = name;
        this.every = every;
        this.source = source;
        this.store = store;
        this.ids = ids;
    }

    /** Starts to write periodically. */
    public void start() {
        vertx.setPeriodic(every.toMillis(), t -> write());
    }

    /**
     * Writes everything that has been collected so far. Fails if a batch could not be confirmed. That batch is kept for
     * the next write, unless the store will never accept it.
     */
    public Future<Void> write() {
        Promise<Void> promise;
        synchronized (this) {
            Future<Void> under = running;
            if (under != null) {
                return under;
            }
            promise = Promise.promise();
            running = promise.future();
        }
        next(promise);
        return promise.future();
    }

    private void next(Promise<Void> promise) {
        Batch batch = batch();
        if (batch == null) {
            finish();
            promise.complete();
            return;
        }
        Future<Void> written;
        try {
            written = store.write(batch.id, batch.rows);
        } catch (RuntimeException e) {
            written = Future.failedFuture(e);
        }
        written.onComplete(done -> {
            if (done.succeeded()) {
                confirmed(batch);
                next(promise);
            } else {
                failed(batch, done.cause());
                finish();
                promise.fail(done.cause());
            }
        });
    }

    private synchronized @Nullable Batch batch() {
        if (unconfirmed == null) {
            String rows = source.get();
            unconfirmed = rows == null ? null : new Batch(ids.get(), rows);
        }
        return unconfirmed;
    }

    private synchronized void finish() {
        running = null;
    }

    private synchronized void confirmed(Batch batch) {
        if (isUnconfirmed(batch)) {
            unconfirmed = null;
        }
        if (failing) {
            failing = false;
            log.info("batches.recovered name={}", name);
        }
    }

    private boolean isUnconfirmed(Batch batch) {
        Batch current = unconfirmed;
        return current != null && current.id.equals(batch.id);
    }

    private synchronized void failed(Batch batch, Throwable cause) {
        if (cause instanceof ServiceException e && e.code() == ErrorCode.INTERNAL && isUnconfirmed(batch)) {
            // the store would reject it again on every retry, and it would block all later batches
            log.error("batches.dropped name={} chars={} cause={}", name, batch.rows.length(), cause.toString());
            unconfirmed = null;
            return;
        }
        if (!failing) {
            failing = true;
            log.warn("batches.not-written name={} cause={}", name, cause.toString());
        }
    }
}
