package dev.configservice.vertx;

import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Deploys a verticle on each event loop. Vert.x hands its event loops out in turn to whoever asks, also to clients and
 * other verticles, so that as many instances as there are loops need not be one on each: one that comes to a loop that
 * has one already is not started, and the next is tried.
 */
public final class EventLoops {
    private static final int SIZE = VertxOptions.DEFAULT_EVENT_LOOP_POOL_SIZE;
    private static final int MAX_ATTEMPTS = 100 * SIZE;

    private final Vertx vertx;
    private final Supplier<? extends Deployable> verticle;
    private final Set<Thread> taken = ConcurrentHashMap.newKeySet();

    private EventLoops(Vertx vertx, Supplier<? extends Deployable> verticle) {
        this.vertx = vertx;
        this.verticle = verticle;
    }

    /** Completes when every event loop has started one; fails as the first of them that does not start. */
    public static Future<Void> deployOnEach(Vertx vertx, Supplier<? extends Deployable> verticle) {
        return new EventLoops(vertx, verticle).deploy(0);
    }

    private Future<Void> deploy(int attempts) {
        if (taken.size() == SIZE) {
            return Future.succeededFuture();
        }
        if (attempts == MAX_ATTEMPTS) {
            return Future.failedFuture("no verticle on " + (SIZE - taken.size()) + " of " + SIZE + " event loops");
        }
        return vertx.deployVerticle(new OnFreeLoop()).transform(done -> {
            if (done.failed() && !(done.cause() instanceof TakenException)) {
                return Future.failedFuture(done.cause());
            }
            return deploy(attempts + 1);
        });
    }

    /** The event loop has a verticle already. */
    private static final class TakenException extends RuntimeException {
        TakenException() {
            super("the event loop has one", null, false, false);
        }
    }

    private final class OnFreeLoop implements Deployable {
        private final Deployable one = verticle.get();

        @Override
        public Future<?> deploy(Context context) throws Exception {
            return taken.add(Thread.currentThread()) ? one.deploy(context) : Future.failedFuture(new TakenException());
        }

        @Override
        public Future<?> undeploy(Context context) throws Exception {
            return one.undeploy(context);
        }
    }
}
