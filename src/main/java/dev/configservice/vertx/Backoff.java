package dev.configservice.vertx;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The pauses between failed attempts. They double with every failure, up to a maximum, and have random jitter, so that
 * nodes do not retry at the same moment.
 */
public final class Backoff {
    private final long firstMillis;
    private final long maxMillis;
    private final Supplier<? extends RandomGenerator> random;
    private int failures;

    /**
     * Creates pauses from {@code first} to {@code max}. Jitter makes each up to half shorter or longer.
     *
     * @param first the first pause without jitter; must be at least a millisecond
     */
    public Backoff(Duration first, Duration max) {
        this(first, max, ThreadLocalRandom::current);
    }

    Backoff(Duration first, Duration max, Supplier<? extends RandomGenerator> random) {
        if (first.toMillis() < 1 || max.compareTo(first) < 0) {
            throw new IllegalArgumentException("first: " + first + " (expected: 1 ms to " + max + ")");
        }
        this.firstMillis = first.toMillis();
        this.maxMillis = max.toMillis();
        this.random = random;
    }

    /** Counts a failure and returns the pause before the next attempt, in milliseconds. */
    public long nextMillis() {
        long base = Math.min(maxMillis, firstMillis << Math.min(failures, 30));
        failures++;
        return Math.max(1, base / 2 + random.get().nextLong(base));
    }

    /** Returns the number of failures since the last success. */
    public int failures() {
        return failures;
    }

    /** Starts over after a success. */
    public void reset() {
        failures = 0;
    }
}
