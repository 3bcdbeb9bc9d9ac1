package dev.configservice.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicLong;

/** The bytes that all event loops of a node may hold of unfinished request bodies. Safe for use by several threads. */
public final class BodyBudget {
    private final long max;
    private final AtomicLong held = new AtomicLong();
    private final Counter cut;

    BodyBudget(long max, MeterRegistry meters) {
        this.max = max;
        Gauge.builder("config_service_http_body_bytes", held, AtomicLong::get)
                .description("Bytes held of request bodies that have not arrived whole")
                .register(meters);
        this.cut = Counter.builder("config_service_http_bodies_cut")
                .description("Request bodies that were cut: they were overdue, or others needed their room")
                .register(meters);
    }

    /** The default: an eighth of the heap. */
    public static BodyBudget ofHeap(MeterRegistry meters) {
        return new BodyBudget(Runtime.getRuntime().maxMemory() / 8, meters);
    }

    /** Takes bytes, unless that would exceed the budget; then it takes none and answers false. */
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
