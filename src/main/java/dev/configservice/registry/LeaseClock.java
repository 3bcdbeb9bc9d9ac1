package dev.configservice.registry;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The time of leases, in milliseconds: the wall's at the start, and from then on what has passed, so that a jump of the
 * wall clock is none here. Tests move it.
 */
public final class LeaseClock {
    private final long startMillis = System.currentTimeMillis();
    private final long startNanos = System.nanoTime();
    private final AtomicLong movedMillis = new AtomicLong();

    long millis() {
        return startMillis + (System.nanoTime() - startNanos) / 1_000_000 + movedMillis.get();
    }

    /** Moves the time, also backwards. */
    void move(Duration by) {
        movedMillis.addAndGet(by.toMillis());
    }
}
