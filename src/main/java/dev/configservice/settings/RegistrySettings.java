package dev.configservice.settings;

import java.time.Duration;

/**
 * The registry's protection from mass expiry and its active health checks of instances. {@code protectionMaxLeases} is
 * the longest time that the protection lasts, as a multiple of an instance's lease.
 */
public record RegistrySettings(
        double protectionThreshold,
        int protectionMaxLeases,
        boolean activeChecks,
        Duration checkInterval,
        Duration checkTimeout,
        int checkUnhealthyAfter,
        int checkHealthyAfter,
        int checkConcurrency) {
    static RegistrySettings from(Section s) {
        return new RegistrySettings(
                s.decimal("protection-threshold", 0, 1),
                s.integer("protection-max", 1, 1000),
                s.bool("active-checks"),
                s.duration("check-interval"),
                s.duration("check-timeout"),
                s.integer("check-unhealthy-after", 1, 100),
                s.integer("check-healthy-after", 1, 100),
                s.integer("check-concurrency", 1, 1000));
    }
}
