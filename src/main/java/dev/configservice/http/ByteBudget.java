package dev.configservice.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The number of bytes that all event loops of a node may hold for clients that are slow: of request bodies that have not
 * arrived, or of responses that were not read. Thread-safe.
 */
public final class ByteBudget {
    private final long max;
    private final AtomicLong held = new AtomicLong();
    private final Counter cut;

    private ByteBudget(long max, String what, String description, MeterRegistry meters) {
        this.max = max;
        Gauge.builder("config_service_http_" + what + "_bytes", held, AtomicLong::get)
                .description("Bytes held in memory for " + description)
                .register(meters);
        Gauge.builder("config_service_http_" + what + "_max_bytes", () -> max)
                .description("The largest number of bytes that may be held in memory for " + description)
                .register(meters);
        this.cut = Counter.builder("config_service_http_" + what + "_cut")
                .description("Connections closed because they held up " + description)
                .register(meters);
    }

    /** Creates a budget for the bodies of requests. */
    static ByteBudget ofBodies(long max, MeterRegistry meters) {
        return new ByteBudget(max, "bodies", "unfinished request bodies", meters);
    }

    /** Creates a budget for the bodies of requests: an eighth of the maximum heap. */
    public static ByteBudget ofBodies(MeterRegistry meters) {
        return ofBodies(Runtime.getRuntime().maxMemory() / 8, meters);
    }

    /** Creates a budget for responses: an eighth of the maximum heap. */
    public static ByteBudget ofAnswers(MeterRegistry meters) {
        return ofAnswers(Runtime.getRuntime().maxMemory() / 8, meters);
    }

    /** Creates a budget for responses. */
    static ByteBudget ofAnswers(long max, MeterRegistry meters) {
        return new ByteBudget(max, "answers", "responses that were not read", meters);
    }

    /** Reserves bytes. If that would exceed the budget, reserves nothing and returns false. */
    boolean reserve(int bytes) {
        if (held.addAndGet(bytes) <= max) {
            return true;
        }
        held.addAndGet(-bytes);
        return false;
    }

    void release(int bytes) {
        held.addAndGet(-bytes);
    }

    boolean isNearlyUsedUp() {
        return held.get() > max / 2;
    }

    void countCut() {
        cut.increment();
    }
}
