package dev.configservice.settings;

/**
 * The facades for clients of other systems: each can be switched off.
 *
 * @param consulKeysEnvironment the environment of the keys of Consul that are not below {@code config/}
 */
public record FacadeSettings(
        boolean ofrep,
        boolean spring,
        boolean eureka,
        boolean consul,
        String consulDatacenter,
        String consulKeysEnvironment) {
    static FacadeSettings from(Section s) {
        String environment = s.plain("consul-keys-environment");
        if (!environment.matches("[A-Za-z0-9._-]{1,100}") || environment.matches("\\.\\.?")) {
            s.problem(
                    "consul-keys-environment",
                    environment,
                    "the name of an environment: 1 to 100 of A-Z a-z 0-9 . _ -");
        }
        return new FacadeSettings(
                s.bool("ofrep"), s.bool("spring"), s.bool("eureka"), s.bool("consul"), datacenter(s), environment);
    }

    private static String datacenter(Section s) {
        String name = s.plain("consul-datacenter");
        if (!name.matches("[A-Za-z0-9_-]{1,100}")) {
            s.problem("consul-datacenter", name, "1 to 100 of A-Z a-z 0-9 _ -");
        }
        return name;
    }
}
