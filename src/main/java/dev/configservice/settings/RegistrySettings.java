package dev.configservice.settings;

/** When the registry holds mass expiry back. */
public record RegistrySettings(double protectionThreshold, int protectionMaxLeases) {
    static RegistrySettings from(Section s) {
        return new RegistrySettings(s.decimal("protection-threshold", 0, 1), s.integer("protection-max", 1, 1000));
    }
}
