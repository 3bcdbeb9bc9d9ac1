package dev.configservice.vertx;

import dev.configservice.error.ServiceException;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * A bound on the calls of one sort that run at once: on their number, or on their weight if they have one. Some more wait for
 * their turn, in the order in which they came, and no longer than a limit; what comes then fails with {@code UNAVAILABLE}. A
 * call that is heavier than the bound runs alone. Safe for use by several threads.
 */
public final class Turns {
    private final Vertx vertx;
    private final long most;
    private final long mostWaiting;
    private final Duration patience;
    private final String refusal;
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private long running;
    private long waitingWeight;
    private final LongAdder refused = new LongAdder();

    /** A call that waits for its turn. */
    private record Waiting(Promise<Void> turn, long weight) {}

    /**
     * Creates a bound.
     *
     * @param most the weight of the calls that run at once
     * @param mostWaiting the weight of the calls that wait at once
     * @param patience how long a call waits
     * @param refusal the text for callers that are refused
     */
    public Turns(Vertx vertx, long most, long mostWaiting, Duration patience, String refusal) {
        this.vertx = vertx;
        this.most = most;
        this.mostWaiting = mostWaiting;
        this.patience = patience;
        this.refusal = refusal;
    }

    /**
     * Shows how many calls wait, and how many were refused.
     *
     * @param what the word for the calls
     */
    public Turns measured(String what, MeterRegistry meters) {
        Gauge.builder("config_service_turns_waiting", this, Turns::waiting)
                .description("Requests that take much memory and wait for their turn")
                .tag("what", what)
                .register(meters);
        FunctionCounter.builder("config_service_turns_refused", refused, LongAdder::sum)
                .description("Requests that take much memory and got no turn in time")
                .tag("what", what)
                .register(meters);
        return this;
    }

    private synchronized int waiting() {
        return waiting.size();
    }

    private Future<Void> refusal() {
        refused.increment();
        return Future.failedFuture(ServiceException.unavailable(refusal));
    }

    /** Makes a call of weight 1 as soon as it is its turn. */
    public <T> Future<T> take(Supplier<Future<T>> call) {
        return take(1, call);
    }

    /** Makes a call as soon as it is its turn. */
    public <T> Future<T> take(long weight, Supplier<Future<T>> call) {
        // one that throws gives its turn back, too
        return Futures.here(begin(weight))
                .compose(v -> Future.<Void>succeededFuture()
                        .compose(begun -> call.get())
                        .onComplete(done -> end(weight)));
    }

    private boolean fits(long weight) {
        return running == 0 || running + weight <= most;
    }

    private Future<Void> begin(long weight) {
        Waiting turn = new Waiting(Promise.promise(), weight);
        synchronized (this) {
            if (waiting.isEmpty() && fits(weight)) {
                running += weight;
                return Future.succeededFuture();
            }
            if (waitingWeight + weight > mostWaiting) {
                return refusal();
            }
            waiting.add(turn);
            waitingWeight += weight;
        }
        long timer = vertx.setTimer(patience.toMillis(), t -> {
            List<Waiting> next = List.of();
            boolean isLate;
            synchronized (this) {
                isLate = waiting.remove(turn);
                if (isLate) {
                    waitingWeight -= weight;
                    // those behind it may be lighter
                    next = next();
                }
            }
            if (isLate) {
                refusal().onComplete(turn.turn());
            }
            next.forEach(w -> w.turn().complete());
        });
        return turn.turn().future().onComplete(done -> vertx.cancelTimer(timer));
    }

    private void end(long weight) {
        List<Waiting> next;
        synchronized (this) {
            running -= weight;
            next = next();
        }
        next.forEach(w -> w.turn().complete());
    }

    /** Takes those that may run now from those that wait. */
    private List<Waiting> next() {
        List<Waiting> next = new ArrayList<>();
        while (!waiting.isEmpty() && fits(waiting.getFirst().weight())) {
            Waiting first = waiting.removeFirst();
            waitingWeight -= first.weight();
            running += first.weight();
            next.add(first);
        }
        return next;
    }
}
