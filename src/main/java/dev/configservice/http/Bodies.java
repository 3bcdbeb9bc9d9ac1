package dev.configservice.http;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The request bodies that one event loop is receiving. What has arrived of unfinished bodies is bounded in bytes for the
 * whole node. When the bound is near, the bodies that make the least progress are cut, anonymous ones first, so that
 * clients that stall cannot keep others from writing. Touched only on its event loop, but for the shared {@link BodyBudget}.
 */
final class Bodies {
    /** The largest body. */
    static final int MAX_BYTES = 1 << 20;

    /** How long a body may take to arrive. */
    static final Duration DEADLINE = Duration.ofSeconds(30);

    /** A body that is younger is not judged by its progress. */
    private static final long GRACE_NANOS = Duration.ofSeconds(1).toNanos();

    private static final String OTHERS = "it made less progress than others, which needed its room";

    private final BodyBudget budget;
    private final long deadlineNanos;
    private final Set<Body> receiving = new HashSet<>();

    Bodies(BodyBudget budget, Duration deadline) {
        this.budget = budget;
        this.deadlineNanos = deadline.toNanos();
    }

    /** One body on its way. */
    private final class Body {
        private final boolean anonymous;
        private final long startNanos = System.nanoTime();
        private final Promise<Buffer> promise = Promise.promise();
        private Buffer buffer = Buffer.buffer();

        Body(boolean anonymous) {
            this.anonymous = anonymous;
        }

        void take(Buffer chunk) {
            if (promise.future().isComplete()) {
                return;
            }
            if (buffer.length() + chunk.length() > MAX_BYTES) {
                end(tooLarge());
                return;
            }
            while (!budget.reserve(chunk.length())) {
                Optional<Body> slowest = slowerThan(this, chunk.length());
                if (slowest.isEmpty()) {
                    end(new ServiceException(
                            ErrorCode.TOO_MANY,
                            "this node is receiving as many bytes of request bodies as it can hold"));
                    return;
                }
                slowest.get().cut(OTHERS);
            }
            buffer.appendBuffer(chunk);
        }

        void finished() {
            Buffer whole = buffer;
            if (release()) {
                promise.tryComplete(whole);
            }
        }

        void end(Throwable failure) {
            if (release()) {
                promise.tryFail(failure);
            }
        }

        void cut(String reason) {
            budget.countCut();
            end(new ServiceException(ErrorCode.REQUEST_TIMEOUT, "The body did not arrive in time: " + reason));
        }

        /** Gives its bytes back, once; false where it has ended already. */
        private boolean release() {
            if (!receiving.remove(this)) {
                return false;
            }
            budget.release(buffer.length());
            buffer = Buffer.buffer();
            return true;
        }

        /** Bytes a second since it began, were {@code more} there. */
        private double progress(long now, int more) {
            return (double) (buffer.length() + more) / Math.max(GRACE_NANOS, now - startNanos);
        }
    }

    /**
     * Receives a body, at most {@link #MAX_BYTES} of it. Fails with {@link ErrorCode#TOO_LARGE}, with
     * {@link ErrorCode#REQUEST_TIMEOUT} where it is cut, and with {@link ErrorCode#TOO_MANY} where there is no room.
     *
     * @param anonymous whether its caller showed no credential
     */
    Future<Buffer> receive(HttpServerRequest request, boolean anonymous) {
        String length = request.getHeader("Content-Length");
        if (length != null && (length.length() > 18 || Long.parseLong(length) > MAX_BYTES)) {
            return Future.failedFuture(tooLarge());
        }
        Body body = new Body(anonymous);
        receiving.add(body);
        request.handler(body::take);
        request.exceptionHandler(body::end);
        request.endHandler(v -> body.finished());
        request.resume();
        return body.promise.future();
    }

    /** Cuts the bodies that are overdue and, while the budget is more than half used, those that make no progress. */
    void sweep() {
        long now = System.nanoTime();
        for (Body body : List.copyOf(receiving)) {
            if (now - body.startNanos > deadlineNanos) {
                body.cut("it took more than " + Duration.ofNanos(deadlineNanos).toSeconds() + " s");
            }
        }
        if (budget.isNearlyUsedUp()) {
            receiving.stream()
                    .filter(b -> now - b.startNanos > GRACE_NANOS)
                    .min(firstToCut(now))
                    .ifPresent(b -> b.cut(OTHERS));
        }
    }

    /** Closes the connection of a request whose body is not awaited any more; else the server would wait for the rest. */
    static void closeUnlessArrived(HttpServerRequest request) {
        if (!request.isEnded()) {
            // after what has been written
            request.connection().close();
        }
    }

    /** An anonymous body before others, then the one that makes the least progress. */
    private static Comparator<Body> firstToCut(long now) {
        return Comparator.<Body, Boolean>comparing(b -> !b.anonymous).thenComparingDouble(b -> b.progress(now, 0));
    }

    /** The body to cut so that another goes on; empty where that one is itself the first to cut. */
    private Optional<Body> slowerThan(Body other, int arrived) {
        long now = System.nanoTime();
        return receiving.stream()
                .filter(b -> b != other)
                .min(firstToCut(now))
                .filter(b -> b.anonymous == other.anonymous
                        ? b.progress(now, 0) < other.progress(now, arrived)
                        : b.anonymous);
    }

    private static ServiceException tooLarge() {
        return new ServiceException(ErrorCode.TOO_LARGE, "The body has more than " + MAX_BYTES + " bytes");
    }
}
