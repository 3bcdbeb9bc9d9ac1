package dev.configservice.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/** The number of bytes of unfinished request bodies that all event loops of a node may hold. Thread-safe. */
public final class BodyBudget {
    private final long max;
    private final AtomicLong held = new AtomicLong();
    private final Counter cut;

    BodyBudget(long max, MeterRegistry meters) {
        this.max = max;
        Gauge.builder("config_service_http_body_bytes", held, AtomicLong::get)
                .description("Bytes held in memory for unfinished request bodies")
                .register(meters);
        this.cut = Counter.builder("config_service_http_bodies_cut")
                .description("Request bodies cut because they were overdue or others needed their memory")
                .register(meters);
    }

    /** Creates the default budget: an eighth of the maximum heap. */
    public static BodyBudget ofHeap(MeterRegistry meters) {
        return new BodyBudget(Runtime.getRuntime().maxMemory() / 8, meters);
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
