package dev.configservice.settings;

/** The Redis server that stores the last known good state. The address is empty if there is none. */
public record RedisSettings(String uri) {
    static RedisSettings from(Section s) {
        String uri = s.text("uri");
        if (!uri.isEmpty() && !uri.startsWith("redis://") && !uri.startsWith("rediss://")) {
            s.problem("uri", "(not shown)", "redis://[:password@]host:port");
        }
        return new RedisSettings(uri);
    }

    /** Omits the address, which may contain a password. */
    @Override
    public String toString() {
        return "RedisSettings[]";
    }
}
