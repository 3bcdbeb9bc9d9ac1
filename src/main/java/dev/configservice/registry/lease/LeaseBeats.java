package dev.configservice.registry.lease;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * The time and the response time of the last heartbeat of each instance. The node that received a heartbeat knows them
 * at once. The other nodes receive the changes every few seconds, in one message.
 */
public final class LeaseBeats {
    private static final String ADDRESS = "config-service.beats";
    private static final long EVERY_MILLIS = 2000;
    private static final int MAX_IN_MESSAGE = 5000;

    private final Vertx vertx;
    private final BooleanSupplier others;
    private final Cache<String, Beat> beats = Caffeine.newBuilder()
            .maximumSize(1_000_000)
            // what it tidies up is less work than waking another thread for it
            .executor(Runnable::run)
            .build();
    private final Map<String, Beat> fresh = new ConcurrentHashMap<>();

    /**
     * The last heartbeat of an instance.
     *
     * @param atMillis its time in epoch milliseconds; 0 if none is known
     * @param responseTime the last response time in milliseconds; -1 if none was given of late
     * @param reportedMillis the time at which the response time was given
     */
    public record Beat(long atMillis, double responseTime, long reportedMillis) {
        public static final Beat NONE = new Beat(0, -1, 0);
        private static final long FORGET_MILLIS = 60_000;

        /** Returns the next heartbeat. Without a response time it keeps the last one for a minute. */
        public Beat next(long nowMillis, double given) {
            if (given >= 0) {
                return new Beat(nowMillis, given, nowMillis);
            }
            return nowMillis - reportedMillis <= FORGET_MILLIS
                    ? new Beat(nowMillis, responseTime, reportedMillis)
                    : new Beat(nowMillis, -1, 0);
        }

        /** Returns the response time if it was reported within the last minute, else -1. */
        public double recentResponseTime(long nowMillis) {
            return nowMillis - reportedMillis <= FORGET_MILLIS ? responseTime : -1;
        }
    }

    /**
     * Creates the store of heartbeats for one node.
     *
     * @param others whether there are other nodes to exchange heartbeats with
     */
    public LeaseBeats(Vertx vertx, BooleanSupplier others) {
        this.vertx = vertx;
        this.others = others;
    }

    /** Starts the exchange of heartbeats with other nodes. */
    public void start() {
        vertx.eventBus().<JsonArray>consumer(ADDRESS, message -> take(message.body()));
        vertx.setPeriodic(EVERY_MILLIS, t -> tell());
    }

    public void note(String key, Beat beat) {
        beats.put(key, beat);
        if (others.getAsBoolean()) {
            fresh.put(key, beat);
        }
    }

    public Beat of(String key) {
        Beat beat = beats.getIfPresent(key);
        return beat == null ? Beat.NONE : beat;
    }

    public void forget(String key) {
        beats.invalidate(key);
    }

    private void tell() {
        if (!others.getAsBoolean()) {
            fresh.clear();
            return;
        }
        JsonArray message = new JsonArray();
        for (Map.Entry<String, Beat> e : Map.copyOf(fresh).entrySet()) {
            if (fresh.remove(e.getKey(), e.getValue())) {
                message.add(e.getKey())
                        .add(e.getValue().atMillis())
                        .add(e.getValue().responseTime())
                        .add(e.getValue().reportedMillis());
            }
            if (message.size() >= 4 * MAX_IN_MESSAGE) {
                vertx.eventBus().publish(ADDRESS, message);
                message = new JsonArray();
            }
        }
        if (!message.isEmpty()) {
            vertx.eventBus().publish(ADDRESS, message);
        }
    }

    private void take(JsonArray message) {
        for (int i = 0; i + 3 < message.size(); i += 4) {
            Beat beat = new Beat(message.getLong(i + 1), message.getDouble(i + 2), message.getLong(i + 3));
            beats.asMap().merge(message.getString(i), beat, (a, b) -> a.atMillis() >= b.atMillis() ? a : b);
        }
    }
}
