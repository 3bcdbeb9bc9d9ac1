package dev.configservice.settings;

/**
 * The environment in which configurations and flags are looked up if a request names none, and the largest size of a layer
 * in bytes.
 */
public record ConfigSettings(String defaultEnvironment, long layerMaxBytes) {
    static ConfigSettings from(Section s) {
        String environment = s.plain("default-environment");
        if (!environment.matches("[a-zA-Z0-9._-]{1,100}")) {
            s.problem("default-environment", environment, "1 to 100 characters of A-Z a-z 0-9 . _ -");
        }
        return new ConfigSettings(environment, s.bytes("layer-max-bytes"));
    }
}
