package dev.configservice.vertx;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.function.Function;

/** Keeps what follows on the event loop that it belongs to. */
public final class Futures {
    private Futures() {}

    /**
     * {@code future.compose(next)}; of a future that has succeeded, which on the read path nearly all have, without the
     * objects that waiting would need.
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

    /** {@code future.map(next)}, likewise. */
    public static <T, R> Future<R> map(Future<T> future, Function<? super T, R> next) {
        return future.succeeded() ? then(future, value -> Future.succeededFuture(next.apply(value))) : future.map(next);
    }

    /**
     * The same outcome, but what follows runs on the event loop that this is called on, whichever thread completes the
     * future.
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
