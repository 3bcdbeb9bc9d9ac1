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
 * The deployment of a verticle on each event loop. Vert.x assigns its event loops in turn, also to clients and other
 * verticles. Deploying as many instances as there are event loops therefore does not guarantee one instance on each.
 * Here, an instance is not started if its event loop already has one, and deployments are repeated until every loop has
 * one.
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

    /**
     * Deploys one instance on each event loop. Completes when all are started. Fails with the failure of the first
     * instance that does not start.
     */
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

    /** The failure of a deployment on an event loop that already has an instance. */
    private static final class TakenException extends RuntimeException {
        TakenException() {
            super("the event loop already has an instance", null, false, false);
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
