package dev.configservice.settings;

import java.time.Duration;

/**
 * How long a node may take to leave, and how much of it it still answers in, so that those who send it requests hear of
 * it.
 */
public record ShutdownSettings(Duration grace, Duration drain) {
    static ShutdownSettings from(Section s) {
        return new ShutdownSettings(s.duration("grace"), s.duration("drain"));
    }
}
