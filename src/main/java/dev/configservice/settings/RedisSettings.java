package dev.configservice.settings;

/**
 * The Redis server that stores the last known good state. The address is empty if there is none.
 *
 * @param tlsCa a PEM file with the authorities of the server's certificate; empty for those of the JVM
 * @param tlsCertificate a PEM file with the certificate of this client; empty if it has none
 * @param tlsKey a PEM file with its key
 */
public record RedisSettings(String uri, String tlsCa, String tlsCertificate, String tlsKey) {
    static RedisSettings from(Section s) {
        RedisSettings settings =
                new RedisSettings(s.text("uri"), s.text("tls-ca"), s.text("tls-certificate"), s.text("tls-key"));
        boolean isTls = false;
        if (!settings.uri().isEmpty()) {
            try {
                isTls = RedisAddress.parse(settings.uri()).isTls();
            } catch (IllegalArgumentException e) {
                s.problem(
                        "uri", "(not shown)", "rediss://[[user]:password@]host:port[/database]; it " + e.getMessage());
                return settings;
            }
        }
        if (!isTls && !(settings.tlsCa() + settings.tlsCertificate() + settings.tlsKey()).isEmpty()) {
            s.problem("uri", "(not shown)", "rediss://, because redis.tls-ca, tls-certificate or tls-key is set");
        }
        if (settings.tlsCertificate().isEmpty() != settings.tlsKey().isEmpty()) {
            s.problem("tls-key", settings.tlsKey(), "set together with redis.tls-certificate, or neither of them");
        }
        return settings;
    }

    /** Returns settings without Redis. */
    public static RedisSettings none() {
        return at("");
    }

    /** Returns the settings of a server at an address. */
    public static RedisSettings at(String uri) {
        return new RedisSettings(uri, "", "", "");
    }

    /** Omits the address, which may contain a password. */
    @Override
    public String toString() {
        return "RedisSettings[]";
    }
}
