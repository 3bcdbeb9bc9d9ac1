package dev.configservice.registry.lease;

import com.hazelcast.config.Config;
import com.hazelcast.core.HazelcastInstance;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The time of leases, in milliseconds: the wall's at the start, and from then on what has passed, so that a jump of the
 * wall clock is none here. Tests move it.
 */
public final class LeaseClock {
    /** The name under which a member's user context holds its clock. */
    private static final String CONTEXT = "lease-clock";

    private final long startMillis = System.currentTimeMillis();
    private final long startNanos = System.nanoTime();
    private final AtomicLong movedMillis = new AtomicLong();

    /** Makes it the clock of a member to be. */
    void configure(Config config) {
        config.getUserContext().put(CONTEXT, this);
    }

    /** The clock of a member. */
    static LeaseClock of(HazelcastInstance hazelcast) {
        return (LeaseClock) Objects.requireNonNull(hazelcast.getUserContext().get(CONTEXT), "no clock");
    }

    long millis() {
        return startMillis + (System.nanoTime() - startNanos) / 1_000_000 + movedMillis.get();
    }

    /** Moves the time, also backwards. */
    void move(Duration by) {
        movedMillis.addAndGet(by.toMillis());
    }
}
