package dev.configservice.vertx;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Function;

/** Operations on futures: cheap continuations of completed ones, and a return to the event loop of the caller. */
public final class Futures {
    private Futures() {}

    /**
     * Does the same as {@code future.compose(next)}, but runs {@code next} at once if the future has already succeeded.
     * This allocates less, and nearly all futures on the read path have succeeded.
     */
    public static <T, R> Future<R> then(Future<T> future, Function<? super T, Future<R>> next) {
        if (!future.succeeded()) {
            return future.compose(next);
        }
        try {
            return next.apply(future.result());
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    /** Does the same as {@code future.map(next)}, but runs {@code next} at once like {@link #then}. */
    public static <T, R> Future<R> map(Future<T> future, Function<? super T, R> next) {
        return future.succeeded() ? then(future, value -> Future.succeededFuture(next.apply(value))) : future.map(next);
    }

    /**
     * Runs work that is too long for an event loop on a worker thread. Must be called on a thread of Vert.x. The
     * future's handlers run on the caller's event loop.
     */
    public static <T> Future<T> onWorker(Callable<T> work) {
        return Objects.requireNonNull(Vertx.currentContext(), "not on a thread of Vert.x")
                .executeBlocking(work, false);
    }

    /**
     * Returns a future with the same result whose handlers run on the event loop of the caller, no matter which thread
     * completes the given future.
     */
    public static <T> Future<T> here(Future<T> future) {
        Context context = Vertx.currentContext();
        if (context == null || future.isComplete()) {
            return future;
        }
        Promise<T> promise = Promise.promise();
        future.onComplete(done -> {
            if (Vertx.currentContext() == context) {
                promise.handle(done);
            } else {
                context.runOnContext(v -> promise.handle(done));
            }
        });
        return promise.future();
    }
}
