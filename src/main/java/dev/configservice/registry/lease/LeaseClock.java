package dev.configservice.registry.lease;

import com.hazelcast.config.Config;
import com.hazelcast.core.HazelcastInstance;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The clock of leases, in milliseconds. It starts at the wall clock time and then adds the elapsed time, so it does not
 * follow jumps of the wall clock. Tests can move it.
 */
public final class LeaseClock {
    /** The key of the clock in the user context of a cluster member. */
    private static final String CONTEXT = "lease-clock";

    private final long startMillis = System.currentTimeMillis();
    private final long startNanos = System.nanoTime();
    private final AtomicLong movedMillis = new AtomicLong();

    /** Makes this the clock of the member that starts with this configuration. */
    void configure(Config config) {
        config.getUserContext().put(CONTEXT, this);
    }

    /** Returns the clock of a member. */
    static LeaseClock of(HazelcastInstance hazelcast) {
        return (LeaseClock) Objects.requireNonNull(hazelcast.getUserContext().get(CONTEXT), "no clock");
    }

    long millis() {
        return startMillis + (System.nanoTime() - startNanos) / 1_000_000 + movedMillis.get();
    }

    /** Moves the time forwards or backwards. */
    void move(Duration by) {
        movedMillis.addAndGet(by.toMillis());
    }
}
