package dev.configservice.settings;

import java.time.Duration;

/** How changes are streamed, and for how long the log keeps them (zero: for ever), in partitions of how many revisions. */
public record ChangesSettings(int maxStreams, Duration streamMaxAge, Duration keep, int partitionSize) {
    static ChangesSettings from(Section s) {
        return new ChangesSettings(
                s.integer("max-streams", 0, 1_000_000),
                s.duration("stream-max-age"),
                s.duration("keep"),
                s.integer("partition-size", 1000, 1_000_000_000));
    }
}
