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
 * Values that are gathered in memory and written in batches. A batch has an id and is sent again under it until it is
 * confirmed, so that a store that knows the id counts it once. Meanwhile the source goes on gathering within its own bound.
 * Safe for use by several threads.
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
     * Batches that are not written before {@link #start}.
     *
     * @param name as logs name it
     * @param every the pause between two writes
     * @param source takes what was gathered, as a JSON array; null if nothing was
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

    /** Writes from now on. */
    public void start() {
        vertx.setPeriodic(every.toMillis(), t -> write());
    }

    /** Writes all that was gathered until now. Fails if some of it could not be confirmed; it is kept for the next time. */
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
            // it would be refused for ever, and hold back all that comes after it
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
