package dev.configservice.settings;

import java.time.Duration;

/** How long a node may take to leave. */
public record ShutdownSettings(Duration grace) {
    static ShutdownSettings from(Section s) {
        return new ShutdownSettings(s.duration("grace"));
    }
}
