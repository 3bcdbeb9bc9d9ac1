package dev.configservice.settings;

import java.time.Duration;

/** How changes are streamed and kept. A retention of zero keeps them for ever. */
public record ChangesSettings(int maxStreams, Duration streamMaxAge, Duration retention) {
    static ChangesSettings from(Section s) {
        return new ChangesSettings(
                s.integer("max-streams", 0, 1_000_000), s.duration("stream-max-age"), s.duration("retention"));
    }
}
