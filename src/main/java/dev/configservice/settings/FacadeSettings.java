package dev.configservice.settings;

/** The facades for clients of other systems: each can be switched off. */
public record FacadeSettings(boolean ofrep) {
    static FacadeSettings from(Section s) {
        return new FacadeSettings(s.bool("ofrep"));
    }
}
