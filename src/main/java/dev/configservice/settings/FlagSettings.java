package dev.configservice.settings;

/** The flags: the largest size of all flags of an environment, in bytes. */
public record FlagSettings(long environmentMaxBytes) {
    static FlagSettings from(Section s) {
        return new FlagSettings(s.bytes("environment-max-bytes"));
    }
}
