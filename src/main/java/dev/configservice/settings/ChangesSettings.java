package dev.configservice.settings;

import java.time.Duration;

/** How changes are streamed. */
public record ChangesSettings(int maxStreams, Duration streamMaxAge) {
    static ChangesSettings from(Section s) {
        return new ChangesSettings(s.integer("max-streams", 0, 1_000_000), s.duration("stream-max-age"));
    }
}
