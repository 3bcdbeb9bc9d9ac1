package dev.configservice.settings;

import java.util.List;

/**
 * The address that the service listens on, its certificate, the browser origins that may call it, and what one address
 * may have open; 0 stands for no limit.
 *
 * @param publicPath the path before this service's own paths, by which clients reach it through a proxy; empty if there
 *     is none
 */
public record HttpSettings(
        String host,
        int port,
        List<String> corsOrigins,
        String publicPath,
        String tlsCertificate,
        String tlsKey,
        int maxConnectionsPerAddress,
        int maxStreamsPerAddress) {
    static HttpSettings from(Section s, boolean embedded) {
        String host = s.plain("host");
        HttpSettings settings = new HttpSettings(
                host.isEmpty() ? (embedded ? "127.0.0.1" : "0.0.0.0") : host,
                s.integer("port", 0, 65535),
                s.list("cors-origins"),
                s.plain("public-path"),
                s.text("tls-certificate"),
                s.text("tls-key"),
                s.integer("max-connections-per-address", 0, 1_000_000),
                s.integer("max-streams-per-address", 0, 1_000_000));
        if (settings.tlsCertificate().isEmpty() != settings.tlsKey().isEmpty()) {
            s.problem("tls-key", settings.tlsKey(), "set together with http.tls-certificate, or neither of them");
        }
        if (!settings.publicPath().matches("(/[A-Za-z0-9._~-]+)*")) {
            s.problem(
                    "public-path", settings.publicPath(), "a path such as /config-service, without a slash at its end");
        }
        return settings;
    }

    public boolean isTls() {
        return !tlsCertificate.isEmpty();
    }

    /** Tells whether only this machine can call the service. */
    public boolean isLoopback() {
        return host.startsWith("127.") || host.equals("localhost") || host.equals("::1");
    }
}
