package dev.configservice.http;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.vertx.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The request bodies that one event loop is receiving. The bytes of unfinished bodies are bounded for the whole node.
 * Near the bound, the bodies that make the least progress are cut: their requests fail. Anonymous bodies are cut first.
 * Stalled clients therefore cannot keep others from writing.
 *
 * <p>Used only on its event loop, except for the shared {@link ByteBudget}.
 */
public final class Bodies {
    /** The size of the largest body that a route accepts unless it says otherwise, and of any from an anonymous caller. */
    static final int MAX_BYTES = 1 << 20;

    /** The longest time that a body may take to arrive. */
    static final Duration DEADLINE = Duration.ofSeconds(30);

    /** The age below which a body is not judged by its progress. */
    private static final long GRACE_NANOS = Duration.ofSeconds(1).toNanos();

    private static final String OTHERS = "it made less progress than others, and the node needed its memory for them";

    /** The size from which a body that has arrived waits for its turn: what is made of it takes several times its memory. */
    static final int LARGE_BYTES = 64 << 10;

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final ByteBudget budget;
    private final long deadlineNanos;
    private final Set<Body> receiving = new HashSet<>();

    Bodies(ByteBudget budget, Duration deadline) {
        this.budget = budget;
        this.deadlineNanos = deadline.toNanos();
    }

    /** Creates the turns of requests with large bodies: a thirty-second of the maximum heap is handled at once. */
    public static Turns turns(Vertx vertx, MeterRegistry meters) {
        long heap = Runtime.getRuntime().maxMemory();
        return new Turns(
                        vertx,
                        heap / 32,
                        heap / 16,
                        PATIENCE,
                        "This node is at its limit for requests with large bodies, retry later")
                .measured("bodies", meters);
    }

    /** A body that is being received. */
    private final class Body {
        private final boolean anonymous;
        private final int max;
        private final long startNanos = System.nanoTime();
        private final Promise<Buffer> promise = Promise.promise();
        private Buffer buffer = Buffer.buffer();

        Body(boolean anonymous, int max) {
            this.anonymous = anonymous;
            this.max = max;
        }

        void take(Buffer chunk) {
            if (promise.future().isComplete()) {
                return;
            }
            if (buffer.length() + chunk.length() > max) {
                end(tooLarge(max));
                return;
            }
            while (!budget.reserve(chunk.length())) {
                Optional<Body> slowest = slowerThan(this, chunk.length());
                if (slowest.isEmpty()) {
                    end(new ServiceException(
                            ErrorCode.TOO_MANY,
                            "This node is at its limit for bytes of unfinished request bodies, retry later"));
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

        /** Returns the bytes to the budget. Returns false, and does nothing, if the body has already ended. */
        private boolean release() {
            if (!receiving.remove(this)) {
                return false;
            }
            budget.release(buffer.length());
            buffer = Buffer.buffer();
            return true;
        }

        /** Returns the rate at which the body arrives, in bytes per nanosecond, with {@code more} bytes added to it. */
        private double progress(long now, int more) {
            return (double) (buffer.length() + more) / Math.max(GRACE_NANOS, now - startNanos);
        }
    }

    /**
     * Receives a body. Fails with {@link ErrorCode#TOO_LARGE} if it is larger, with
     * {@link ErrorCode#REQUEST_TIMEOUT} if it is cut, and with {@link ErrorCode#TOO_MANY} if the budget has no room. A client
     * that waits for leave to send the body ({@code Expect: 100-continue}, RFC 9110 section 10.1.1) gets it here.
     *
     * @param anonymous whether the caller sent no credential
     * @param largest the size of the largest body of a caller that did, in bytes
     */
    Future<Buffer> receive(HttpServerRequest request, boolean anonymous, int largest) {
        int max = anonymous ? Math.min(MAX_BYTES, largest) : largest;
        String length = request.getHeader("Content-Length");
        if (length != null && (!length.matches("\\d{1,18}") || Long.parseLong(length) > max)) {
            return Future.failedFuture(tooLarge(max));
        }
        Body body = new Body(anonymous, max);
        receiving.add(body);
        request.handler(body::take);
        request.exceptionHandler(e -> body.end(new ServiceException(
                ErrorCode.MALFORMED_BODY, "The body broke off, or its chunks are not well-formed")));
        request.endHandler(v -> body.finished());
        if ("100-continue".equalsIgnoreCase(request.getHeader("Expect"))) {
            request.response().writeContinue();
        }
        request.resume();
        return body.promise.future();
    }

    /** Cuts overdue bodies. While more than half of the budget is used, also cuts the body with the least progress. */
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

    /** Closes the connection if the body has not arrived completely. Otherwise the server would wait for the rest. */
    static void closeUnlessArrived(HttpServerRequest request) {
        if (!request.isEnded()) {
            // takes effect after the response that has been written
            request.connection().close();
        }
    }

    /** Orders bodies for cutting: anonymous bodies first, then by least progress. */
    private static Comparator<Body> firstToCut(long now) {
        return Comparator.<Body, Boolean>comparing(b -> !b.anonymous).thenComparingDouble(b -> b.progress(now, 0));
    }

    /** Returns the body to cut so that another one can continue; empty if that other one is the first to be cut. */
    private Optional<Body> slowerThan(Body other, int arrived) {
        long now = System.nanoTime();
        return receiving.stream()
                .filter(b -> b != other)
                .min(firstToCut(now))
                .filter(b -> b.anonymous == other.anonymous
                        ? b.progress(now, 0) < other.progress(now, arrived)
                        : b.anonymous);
    }

    private static ServiceException tooLarge(int max) {
        return new ServiceException(ErrorCode.TOO_LARGE, "The body is larger than " + max + " bytes");
    }
}
