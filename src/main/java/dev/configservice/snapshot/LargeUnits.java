package dev.configservice.snapshot;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The turns of work on units that take much memory. Few run at a time, and the others wait, so that many large units
 * that are asked for at once do not fill the heap. Thread-safe.
 */
public final class LargeUnits {
    private static final int AT_ONCE = 2;
    private static final int MAX_WAITING = 1000;

    private final Vertx vertx;
    private final long maxWaitingBytes;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private int running;
    private long waitingBytes;
    private final LongAdder refused = new LongAdder();

    /**
     * Creates turns that nobody has taken.
     *
     * @param maxWaitingBytes the size of what may wait for its turn
     */
    public LargeUnits(Vertx vertx, long maxWaitingBytes) {
        this.vertx = vertx;
        this.maxWaitingBytes = maxWaitingBytes;
    }

    /** Shows how much work waits, and how much was refused. */
    public LargeUnits measured(MeterRegistry meters) {
        Gauge.builder("config_service_turns_waiting", this, LargeUnits::waiting)
                .description("Requests that take much memory and wait for their turn")
                .tag("what", "large-units")
                .register(meters);
        FunctionCounter.builder("config_service_turns_refused", refused, LongAdder::sum)
                .description("Requests that take much memory and got no turn in time")
                .tag("what", "large-units")
                .register(meters);
        return this;
    }

    private synchronized int waiting() {
        return waiting.size();
    }

    /**
     * Does work when it is its turn. Fails with {@link ErrorCode#TOO_MANY} if too much is waiting already.
     *
     * @param bytes the memory that the work holds while it waits
     */
    <T> Future<T> run(long bytes, Supplier<Future<T>> work) {
        return run(bytes, false, work);
    }

    private <T> Future<T> run(long bytes, boolean isFirst, Supplier<Future<T>> work) {
        Promise<T> promise = Promise.promise();
        Runnable turn = () -> start(work).onComplete(done -> {
            promise.handle(done);
            ended();
        });
        synchronized (this) {
            if (running == AT_ONCE) {
                boolean full = waiting.size() >= MAX_WAITING || waitingBytes + bytes > maxWaitingBytes;
                if (full && !waiting.isEmpty()) {
                    refused.increment();
                    return Future.failedFuture(new ServiceException(
                            ErrorCode.TOO_MANY, "This node is at its limit for large units that wait to be loaded"));
                }
                waitingBytes += bytes;
                Runnable later = () -> {
                    synchronized (this) {
                        waitingBytes -= bytes;
                    }
                    turn.run();
                };
                if (isFirst) {
                    waiting.addFirst(later);
                } else {
                    waiting.addLast(later);
                }
                return promise.future();
            }
            running++;
        }
        turn.run();
        return promise.future();
    }

    /** Does blocking work on a worker thread when it is its turn. */
    <T> Future<T> runBlocking(long bytes, Callable<T> work) {
        return run(bytes, () -> vertx.executeBlocking(work, false));
    }

    /**
     * Does blocking work with units that are in memory on a worker thread: before what is still to be loaded, because
     * it lets go of them. Fails like {@link #run}. The future's handlers run on the event loop of the caller.
     */
    public <T> Future<T> first(Callable<T> work) {
        return Futures.here(run(0, true, () -> vertx.executeBlocking(work, false)));
    }

    /** Does work on a worker thread at once, within a turn. */
    <T> Future<T> blocking(Callable<T> work) {
        return vertx.executeBlocking(work, false);
    }

    private static <T> Future<T> start(Supplier<Future<T>> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    private void ended() {
        Runnable next = next();
        if (next != null) {
            next.run();
        }
    }

    private synchronized @Nullable Runnable next() {
        Runnable next = waiting.pollFirst();
        if (next == null) {
            running--;
        }
        return next;
    }
}
