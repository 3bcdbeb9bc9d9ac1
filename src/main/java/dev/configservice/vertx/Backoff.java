package dev.configservice.vertx;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** The pauses between attempts that fail: each twice as long as the one before, up to a maximum, and never two alike. */
public final class Backoff {
    private final long firstMillis;
    private final long maxMillis;
    private final Supplier<? extends RandomGenerator> random;
    private int failures;

    /**
     * Makes pauses from {@code first} to {@code max}, each with jitter of half of it either way.
     *
     * @param first the base of the first pause; must be at least a millisecond
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

    /** The failures since the last success. */
    public int failures() {
        return failures;
    }

    /** Tells whether to log the last failure: the first one, and then every {@code every}th. */
    public boolean isNoteworthy(int every) {
        return failures == 1 || failures % every == 0;
    }

    /** Starts over after a success. */
    public void reset() {
        failures = 0;
    }
}
