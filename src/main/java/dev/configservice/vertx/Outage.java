package dev.configservice.vertx;

import java.time.Duration;
import org.slf4j.Logger;

/**
 * The log lines of an outage: one when it begins, and one when it ends. Failures in between are not logged. Thread-safe.
 */
public final class Outage {
    private final Logger log;
    private final String part;
    private boolean isOn;
    private long beganNanos;

    /**
     * Creates the log lines of a part.
     *
     * @param part the first word of the keys, e.g. {@code feed} for {@code feed.unreachable} and {@code feed.recovered}
     */
    public Outage(Logger log, String part) {
        this.log = log;
        this.part = part;
    }

    /** Notes a failure. */
    public synchronized void failed(Throwable cause) {
        if (!isOn) {
            isOn = true;
            beganNanos = System.nanoTime();
            log.warn("{}.unreachable cause={}", part, cause.toString());
        }
    }

    /** Notes a success. */
    public synchronized void succeeded() {
        if (isOn) {
            isOn = false;
            log.info(
                    "{}.recovered seconds={}",
                    part,
                    Duration.ofNanos(System.nanoTime() - beganNanos).toSeconds());
        }
    }
}
