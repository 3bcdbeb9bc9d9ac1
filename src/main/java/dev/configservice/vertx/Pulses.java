package dev.configservice.vertx;

import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * The pulses of the event loops that answer requests. Every second each of them allocates memory for a socket and does
 * a read, as a request would. An event loop on which that does not come to an end has no pulse, and a process with such an
 * event loop must be replaced. Thread-safe.
 */
public final class Pulses {
    private static final long EVERY_MILLIS = 1000;
    private static final int BUFFER_BYTES = 64 << 10;

    private final Supplier<Future<?>> read;
    private final List<Pulse> pulses = new CopyOnWriteArrayList<>();

    /**
     * Creates pulses that have not begun.
     *
     * @param read a read that ends in any way within a few seconds, as long as reads work
     */
    public Pulses(Supplier<Future<?>> read) {
        this.read = read;
    }

    private static final class Pulse {
        private volatile long lastNanos = System.nanoTime();
        private boolean busy;
    }

    /** Begins the pulse of an event loop. Must be called on it. */
    public void begin(Vertx vertx) {
        Pulse pulse = new Pulse();
        pulses.add(pulse);
        vertx.setPeriodic(EVERY_MILLIS, t -> {
            if (!pulse.busy) {
                beat(pulse);
            }
        });
    }

    private void beat(Pulse pulse) {
        // fails if there is no memory: then there is no pulse
        PooledByteBufAllocator.DEFAULT.directBuffer(BUFFER_BYTES).release();
        pulse.busy = true;
        Futures.here(read.get()).onComplete(done -> {
            pulse.busy = false;
            pulse.lastNanos = System.nanoTime();
        });
    }

    /** Returns the time since the last pulse of the event loop that had none for the longest time. */
    public Duration longestPause() {
        long now = System.nanoTime();
        return Duration.ofNanos(
                pulses.stream().mapToLong(p -> now - p.lastNanos).max().orElse(0));
    }
}
