package dev.configservice.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * The responses that one event loop is sending to clients that read slowly. A large body is written in chunks, as fast as
 * the client reads, so that only one chunk is copied for the socket. A client that has not read its earlier responses gets
 * no further one. The bytes that wait are bounded for the whole node. Near the bound, the clients that read the least are
 * disconnected, and so is one that reads nothing for a while.
 *
 * <p>Used only on its event loop, except for the shared {@link ByteBudget}.
 */
final class Answers {
    /** The longest time for which a client may read nothing. */
    static final Duration DEADLINE = Duration.ofSeconds(30);

    private static final int CHUNK = 64 << 10;

    /** The number of chunks after which a response gives way to what else its event loop has to do. */
    private static final int CHUNKS_IN_TURN = 2;

    /** The age below which a client is not judged by its progress. */
    private static final long GRACE_NANOS = Duration.ofSeconds(1).toNanos();

    private final ByteBudget budget;
    private final Executor turns;
    private final long deadlineNanos;
    private final Set<Sending> waiting = new HashSet<>();

    /**
     * Creates the responses of an event loop, of which there are none yet.
     *
     * @param budget the bytes that may wait on the whole node
     * @param turns runs something on the event loop, after what waits there already
     * @param deadline the longest time for which a client may read nothing
     */
    Answers(ByteBudget budget, Executor turns, Duration deadline) {
        this.budget = budget;
        this.turns = turns;
        this.deadlineNanos = deadline.toNanos();
    }

    /** A response whose client has not taken all of it yet. */
    private final class Sending {
        private final HttpServerResponse response;
        private final Runnable disconnect;
        private final Buffer body;
        private final boolean anonymous;
        private final Runnable sent;
        private final long startNanos = System.nanoTime();
        private long progressNanos = startNanos;
        private int at;
        /** True while it waits for the next turn. */
        private boolean hasTurn;

        Sending(HttpServerResponse response, Runnable disconnect, Buffer body, boolean anonymous, Runnable sent) {
            this.response = response;
            this.disconnect = disconnect;
            this.body = body;
            this.anonymous = anonymous;
            this.sent = sent;
        }

        void begin() {
            response.headers().set("Content-Length", Integer.toString(body.length()));
            response.closeHandler(v -> release());
            response.exceptionHandler(e -> release());
            response.drainHandler(v -> {
                progressNanos = System.nanoTime();
                advance();
            });
            if (response.closed()) {
                release();
                return;
            }
            advance();
        }

        /**
         * Writes chunks as long as the socket takes them, a few in turn: a client that reads as fast as the node writes would
         * otherwise hold up all others, and every message of a write that passes this event loop.
         */
        private void advance() {
            for (int written = 0; waiting.contains(this) && !response.writeQueueFull(); written++) {
                if (written == CHUNKS_IN_TURN) {
                    giveWay();
                    return;
                }
                int to = Math.min(body.length(), at + CHUNK);
                Buffer chunk = body.slice(at, to);
                budget.release(to - at);
                at = to;
                if (to == body.length()) {
                    waiting.remove(this);
                    response.drainHandler(null);
                    response.end(chunk);
                    sent.run();
                } else {
                    response.write(chunk);
                }
            }
        }

        private void giveWay() {
            if (!hasTurn) {
                hasTurn = true;
                // it waits for its turn, and not for the client
                progressNanos = System.nanoTime();
                turns.execute(() -> {
                    hasTurn = false;
                    advance();
                });
            }
        }

        /** Gives up what has not been sent. */
        private void release() {
            if (waiting.remove(this)) {
                budget.release(body.length() - at);
                sent.run();
            }
        }

        void cut() {
            budget.countCut();
            release();
            disconnect.run();
        }

        private double progress(long now) {
            return (double) at / Math.max(GRACE_NANOS, now - startNanos);
        }

        private boolean isJudged(long now) {
            return now - startNanos > GRACE_NANOS;
        }
    }

    /**
     * Sends a response. Returns false, and sends nothing, if the node has no room for a large one.
     *
     * @param disconnect closes the connection
     * @param sent is called when the response has ended in any way
     */
    boolean send(HttpServerResponse response, Runnable disconnect, Buffer body, boolean anonymous, Runnable sent) {
        if (body.length() <= CHUNK) {
            // the server handles no further request of the connection before this has gone to the socket
            if (body.length() == 0) {
                response.end();
            } else {
                response.end(body);
            }
            sent.run();
            return true;
        }
        long now = System.nanoTime();
        while (!budget.reserve(body.length())) {
            Optional<Sending> slowest = slowest(now);
            if (slowest.isEmpty()) {
                return false;
            }
            slowest.get().cut();
        }
        Sending sending = new Sending(response, disconnect, body, anonymous, sent);
        waiting.add(sending);
        sending.begin();
        return true;
    }

    private Optional<Sending> slowest(long now) {
        return waiting.stream()
                .filter(s -> s.isJudged(now))
                .min(Comparator.<Sending, Boolean>comparing(s -> !s.anonymous)
                        .thenComparingDouble(s -> s.progress(now)));
    }

    /** Disconnects clients that read nothing. While more than half of the budget is used, also the one that reads least. */
    void sweep() {
        long now = System.nanoTime();
        for (Sending sending : List.copyOf(waiting)) {
            if (now - sending.progressNanos > deadlineNanos) {
                sending.cut();
            }
        }
        if (budget.isNearlyUsedUp()) {
            slowest(now).ifPresent(Sending::cut);
        }
    }
}
