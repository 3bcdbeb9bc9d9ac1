package dev.configservice.settings;

import java.time.Duration;

/**
 * The limits of change streams, the times for which the log keeps changes and living resources keep their history (zero:
 * for ever), and the number of revisions in a partition of the log.
 */
public record ChangesSettings(
        int maxStreams, Duration streamMaxAge, Duration keep, Duration historyKeep, int partitionSize) {
    static ChangesSettings from(Section s) {
        return new ChangesSettings(
                s.integer("max-streams", 0, 1_000_000),
                s.duration("stream-max-age"),
                s.duration("keep"),
                s.duration("history-keep"),
                s.integer("partition-size", 1000, 1_000_000_000));
    }
}
