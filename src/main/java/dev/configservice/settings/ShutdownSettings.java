package dev.configservice.settings;

import java.time.Duration;

/**
 * The time in which a node must stop, and the part of it in which it still answers while load balancers notice that
 * it is stopping.
 */
public record ShutdownSettings(Duration grace, Duration drain) {
    static ShutdownSettings from(Section s) {
        return new ShutdownSettings(s.duration("grace"), s.duration("drain"));
    }
}
