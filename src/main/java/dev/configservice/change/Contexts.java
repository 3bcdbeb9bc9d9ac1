package dev.configservice.change;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/** Keeps what follows on the event loop that it belongs to. */
public final class Contexts {
    private Contexts() {}

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
