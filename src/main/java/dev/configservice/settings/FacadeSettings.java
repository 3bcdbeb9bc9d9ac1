package dev.configservice.settings;

/** The facades for clients of other systems: each can be switched off. */
public record FacadeSettings(boolean ofrep, boolean spring, boolean eureka) {
    static FacadeSettings from(Section s) {
        return new FacadeSettings(s.bool("ofrep"), s.bool("spring"), s.bool("eureka"));
    }
}
