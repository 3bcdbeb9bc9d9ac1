package dev.configservice.log;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The time that a writer stamps on changes. It never goes back in the log, and is never far ahead of the database's clock:
 * a node's own clock may be wrong by hours. The database refuses what is not so, and tells its time. {@link #occurred} may
 * be called on any thread, the rest only by the writer.
 */
final class LogClock {
    private static final Logger log = LoggerFactory.getLogger(LogClock.class);

    private final InstantSource clock;
    /** The time of the last change that this node knows of. */
    private Instant last = Instant.EPOCH;
    /** The time by which this clock is ahead of the database's, if that is too much. */
    private Duration ahead = Duration.ZERO;

    LogClock(InstantSource clock) {
        this.clock = clock;
    }

    /** Returns the time for the next changes, in whole milliseconds. */
    synchronized Instant now() {
        Instant own = clock.instant();
        if (own.minus(ahead).isBefore(last)) {
            // this clock was set right; if it was not, the database will tell
            ahead = Duration.ZERO;
        }
        Instant now = own.minus(ahead).truncatedTo(ChronoUnit.MILLIS);
        return now.isBefore(last) ? last : now;
    }

    /** Records the time of a change: none after it may be earlier. */
    synchronized void occurred(Instant at) {
        if (at.isAfter(last)) {
            last = at;
        }
    }

    /** Takes over the time of the database's clock, which is behind this one. */
    synchronized void setBackTo(Instant databaseTime) {
        if (ahead.isZero()) {
            log.warn(
                    "writer.clock-ahead seconds={} (of PostgreSQL's; its time is used)",
                    Duration.between(databaseTime, clock.instant()).toSeconds());
        }
        ahead = Duration.between(databaseTime, clock.instant());
    }
}
