package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;

/**
 * Requests at a fixed rate, whether or not earlier ones were answered: a request that waits behind others counts from
 * when it was due. A request that takes longer than 5 s counts as failed. Used on one event loop.
 */
final class Rate {
    private static final long DEADLINE_MILLIS = 5000;

    /** One request, by its number. */
    record Asked(String method, String path, String body) {}

    private final Vertx vertx;
    private final NetClient net;
    private final int port;
    private final LongFunction<Asked> requests;
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private long[] nanos = new long[1024];
    private int answered;
    private int waiting;
    private final Map<String, Integer> failures = new TreeMap<>();

    Rate(Vertx vertx, NetClient net, int port, LongFunction<Asked> requests) {
        this.vertx = vertx;
        this.net = net;
        this.port = port;
        this.requests = requests;
    }

    /** The result: milliseconds of the answered requests, and the number of failed ones by reason. */
    record Measured(double p50, double p99, double max, int answered, Map<String, Integer> failures) {
        int failed() {
            return failures.values().stream().mapToInt(n -> n).sum();
        }

        @Override
        public String toString() {
            return String.format("%.1f / %.1f", p50, p99)
                    + (failures.isEmpty() ? "" : " (" + failed() + " failed: " + failures + ")");
        }
    }

    /** Sends requests for a time. Blocks until the last one was answered. */
    Measured run(int perSecond, int seconds) {
        CompletableFuture<Measured> result = new CompletableFuture<>();
        long began = System.nanoTime();
        vertx.getOrCreateContext().runOnContext(v -> tick(began, perSecond, (long) perSecond * seconds, 0, result));
        return result.join();
    }

    private void tick(long began, int perSecond, long count, long sent, CompletableFuture<Measured> result) {
        long now = System.nanoTime();
        long number = sent;
        while (number < count && began + number * 1_000_000_000L / perSecond <= now) {
            send(began + number * 1_000_000_000L / perSecond, requests.apply(number));
            number++;
        }
        if (number == count && waiting == 0) {
            long[] sorted = Arrays.copyOf(nanos, answered);
            Arrays.sort(sorted);
            idle.forEach(Connection::close);
            result.complete(new Measured(
                    at(sorted, 0.5), at(sorted, 0.99), at(sorted, 1), answered, new TreeMap<>(failures)));
            return;
        }
        long next = number;
        vertx.setTimer(1, t -> tick(began, perSecond, count, next, result));
    }

    private static double at(long[] sorted, double share) {
        return sorted.length == 0
                ? Double.NaN
                : sorted[Math.max(0, (int) Math.ceil(sorted.length * share) - 1)] / 1e6;
    }

    private void send(long due, Asked asked) {
        Connection connection = idle.isEmpty() ? new Connection(net, port) : idle.pop();
        waiting++;
        long timer = vertx.setTimer(DEADLINE_MILLIS, t -> connection.close());
        connection.ask(asked.method(), asked.path(), asked.body()).onComplete(done -> {
            waiting--;
            vertx.cancelTimer(timer);
            if (done.succeeded()) {
                if (answered == nanos.length) {
                    nanos = Arrays.copyOf(nanos, 2 * answered);
                }
                nanos[answered++] = System.nanoTime() - due;
                idle.push(connection);
            } else {
                String text = String.valueOf(done.cause().getMessage());
                failures.merge(text.startsWith("HTTP/1.1 ") ? text.substring(9, 12) : "no answer", 1, Integer::sum);
                connection.close();
            }
        });
    }
}
