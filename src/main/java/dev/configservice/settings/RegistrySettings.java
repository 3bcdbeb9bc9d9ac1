package dev.configservice.settings;

import java.time.Duration;
import java.util.List;

/**
 * The registry's protection from mass expiry and its active health checks of instances. {@code protectionMaxLeases} is
 * the longest time that the protection lasts, as a multiple of an instance's lease. {@code checkAllow} are the ranges of
 * addresses that active checks may call although they are refused by default.
 */
public record RegistrySettings(
        double protectionThreshold,
        int protectionMaxLeases,
        boolean activeChecks,
        Duration checkInterval,
        Duration checkTimeout,
        int checkUnhealthyAfter,
        int checkHealthyAfter,
        int checkConcurrency,
        List<String> checkAllow,
        boolean allowPermanent,
        long serviceMaxBytes,
        long maxBytes) {
    static RegistrySettings from(Section s) {
        return new RegistrySettings(
                s.decimal("protection-threshold", 0, 1),
                s.integer("protection-max", 1, 1000),
                s.bool("active-checks"),
                s.duration("check-interval"),
                s.duration("check-timeout"),
                s.integer("check-unhealthy-after", 1, 100),
                s.integer("check-healthy-after", 1, 100),
                s.integer("check-concurrency", 1, 1000),
                ranges(s),
                s.bool("allow-permanent"),
                s.bytes("service-max-bytes"),
                s.bytesOrShare("max-bytes"));
    }

    /** Reads ranges such as {@code 127.0.0.0/8} or {@code fd00::/8}. */
    private static List<String> ranges(Section s) {
        List<String> ranges = s.list("check-allow");
        for (String range : ranges) {
            if (AddressRange.of(range) == null) {
                s.problem("check-allow", range, "a range of addresses such as 10.0.0.0/8");
            }
        }
        return ranges;
    }
}
