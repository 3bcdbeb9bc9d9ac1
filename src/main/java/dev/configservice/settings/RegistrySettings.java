package dev.configservice.settings;

/** When the registry holds mass expiry back, and for how many leases at most. */
public record RegistrySettings(double protectionThreshold, int protectionMaxLeases) {
    static RegistrySettings from(Section s) {
        return new RegistrySettings(s.decimal("protection-threshold", 0, 1), s.integer("protection-max", 1, 1000));
    }
}
