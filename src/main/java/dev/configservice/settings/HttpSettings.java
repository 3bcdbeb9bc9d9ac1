package dev.configservice.settings;

import java.util.List;

/** Where the service listens, and which browser origins may call it. */
public record HttpSettings(String host, int port, List<String> corsOrigins) {
    static HttpSettings from(Section s, boolean embedded) {
        String host = s.text("host");
        return new HttpSettings(
                host.isEmpty() ? (embedded ? "127.0.0.1" : "0.0.0.0") : host,
                s.integer("port", 0, 65535),
                s.list("cors-origins"));
    }

    /** Whether only this machine can call. */
    public boolean isLoopback() {
        return host.startsWith("127.") || host.equals("localhost") || host.equals("::1");
    }
}
