package dev.configservice.settings;

/** The last known good state; the address is empty if there is none. */
public record RedisSettings(String uri) {
    static RedisSettings from(Section s) {
        String uri = s.text("uri");
        if (!uri.isEmpty() && !uri.startsWith("redis://") && !uri.startsWith("rediss://")) {
            s.problem("uri", "(not shown)", "redis://[:password@]host:port");
        }
        return new RedisSettings(uri);
    }

    /** The address may hold a password: it does not show in a text. */
    @Override
    public String toString() {
        return "RedisSettings[]";
    }
}
