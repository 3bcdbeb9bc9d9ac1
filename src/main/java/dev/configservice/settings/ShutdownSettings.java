package dev.configservice.settings;

import java.time.Duration;

/**
 * The time in which a node must stop, and the first part of it, in which the node still answers requests until load
 * balancers have noticed that it is stopping.
 */
public record ShutdownSettings(Duration grace, Duration drain) {
    static ShutdownSettings from(Section s) {
        return new ShutdownSettings(s.duration("grace"), s.duration("drain"));
    }
}
