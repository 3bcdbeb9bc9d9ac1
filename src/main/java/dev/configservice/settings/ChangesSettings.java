package dev.configservice.settings;

import java.time.Duration;

/**
 * The limits of change streams, the time for which the log keeps changes (zero: for ever), and the number of revisions
 * in a partition of the log.
 */
public record ChangesSettings(int maxStreams, Duration streamMaxAge, Duration keep, int partitionSize) {
    static ChangesSettings from(Section s) {
        return new ChangesSettings(
                s.integer("max-streams", 0, 1_000_000),
                s.duration("stream-max-age"),
                s.duration("keep"),
                s.integer("partition-size", 1000, 1_000_000_000));
    }
}
