package dev.configservice.settings;

/** The facades for clients of other systems: each can be switched off. */
public record FacadeSettings(boolean ofrep, boolean spring, boolean eureka, boolean consul, String consulDatacenter) {
    static FacadeSettings from(Section s) {
        return new FacadeSettings(s.bool("ofrep"), s.bool("spring"), s.bool("eureka"), s.bool("consul"), datacenter(s));
    }

    private static String datacenter(Section s) {
        String name = s.text("consul-datacenter");
        if (!name.matches("[A-Za-z0-9_-]{1,100}")) {
            s.problem("consul-datacenter", name, "1 to 100 of A-Z a-z 0-9 _ -");
        }
        return name;
    }
}
