package dev.configservice.vertx;

import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * A bound on the calls of one sort that run at once. Some more wait for their turn, in the order in which they came, and no
 * longer than a limit; what comes then fails with {@code UNAVAILABLE}. Safe for use by several threads.
 */
public final class Turns {
    private final Vertx vertx;
    private final int most;
    private final int mostWaiting;
    private final Duration patience;
    private final String refusal;
    private final Deque<Promise<Void>> waiting = new ArrayDeque<>();
    private int running;

    /**
     * Creates a bound.
     *
     * @param most the calls that run at once
     * @param mostWaiting the calls that wait at once
     * @param patience how long a call waits
     * @param refusal the text for callers that are refused
     */
    public Turns(Vertx vertx, int most, int mostWaiting, Duration patience, String refusal) {
        this.vertx = vertx;
        this.most = most;
        this.mostWaiting = mostWaiting;
        this.patience = patience;
        this.refusal = refusal;
    }

    /** Makes a call as soon as it is its turn. */
    public <T> Future<T> take(Supplier<Future<T>> call) {
        // one that throws gives its turn back, too
        return Futures.here(begin())
                .compose(v -> Future.<Void>succeededFuture()
                        .compose(begun -> call.get())
                        .onComplete(done -> end()));
    }

    private Future<Void> begin() {
        Promise<Void> turn = Promise.promise();
        synchronized (this) {
            if (running < most) {
                running++;
                return Future.succeededFuture();
            }
            if (waiting.size() >= mostWaiting) {
                return Future.failedFuture(ServiceException.unavailable(refusal));
            }
            waiting.add(turn);
        }
        long timer = vertx.setTimer(patience.toMillis(), t -> {
            boolean isLate;
            synchronized (this) {
                isLate = waiting.remove(turn);
            }
            if (isLate) {
                turn.fail(ServiceException.unavailable(refusal));
            }
        });
        return turn.future().onComplete(done -> vertx.cancelTimer(timer));
    }

    private void end() {
        Promise<Void> next;
        synchronized (this) {
            next = waiting.poll();
            if (next == null) {
                running--;
            }
        }
        if (next != null) {
            // the turn of the one that has ended
            next.complete();
        }
    }
}
