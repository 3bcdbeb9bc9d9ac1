package dev.configservice.postgres;

import dev.configservice.settings.PercentCoding;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.ClientSSLOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The address of a database: {@code postgresql://user:password@host:port,host:port/database?parameter=value}, with
 * parameters as in libpq (PostgreSQL documentation, section 34.1). User and password may hold any character; a percent sign
 * with two hexadecimal digits after it stands for a byte, any other character for itself.
 *
 * @param hosts the servers, of which the first that takes writes is used
 * @param searchPath the schemas; null for the default of the role
 * @param rootCertificate a file with the certificates of authorities, {@code system} for those of the JVM, or null
 * @param certificate the file of the client's certificate; null if it has none
 * @param key the file of the key of that certificate, in PEM
 * @param targetsPrimary whether only a server that takes writes will do
 * @param properties further parameters that the server gets
 */
record PostgresUri(
        List<Host> hosts,
        String user,
        String password,
        String database,
        SslMode sslMode,
        @Nullable String searchPath,
        @Nullable String rootCertificate,
        @Nullable String certificate,
        @Nullable String key,
        boolean targetsPrimary,
        Map<String, String> properties) {

    private static final int PORT = 5432;
    private static final String SYSTEM = "system";
    private static final List<String> SCHEMES = List.of("postgresql://", "postgres://");
    /** The parameters of libpq that change nothing here, but are part of URIs that people have. */
    private static final List<String> IGNORED =
            List.of("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "gssencmode", "sslsni");

    /** A server. */
    record Host(String name, int port) {
        @Override
        public String toString() {
            return name + ":" + port;
        }
    }

    /**
     * Parses an address.
     *
     * @throws IllegalArgumentException if it is not valid; the message says what is wrong and shows no part of the address
     *     that may be secret
     */
    static PostgresUri parse(String uri) {
        String rest = SCHEMES.stream()
                .filter(uri::startsWith)
                .findFirst()
                .map(scheme -> uri.substring(scheme.length()))
                .orElseThrow(() -> new IllegalArgumentException("must begin with postgresql://"));
        // a password may hold any of the characters that separate the parts: the last @ before the path is the
        // separator
        int at = rest.lastIndexOf('@');
        String credentials = at < 0 ? "" : rest.substring(0, at);
        String target = rest.substring(at + 1);
        int question = target.indexOf('?');
        Map<String, String> parameters = parameters(question < 0 ? "" : target.substring(question + 1));
        String place = question < 0 ? target : target.substring(0, question);
        int slash = place.indexOf('/');
        String database = slash < 0 ? "" : PercentCoding.decode(place.substring(slash + 1));
        int colon = credentials.indexOf(':');
        String user = PercentCoding.decode(colon < 0 ? credentials : credentials.substring(0, colon));
        String password = colon < 0 ? "" : PercentCoding.decode(credentials.substring(colon + 1));
        user = taken(parameters, "user", user);
        password = taken(parameters, "password", password);
        database = taken(parameters, "dbname", database);
        String hosts = taken(parameters, "host", slash < 0 ? place : place.substring(0, slash));
        String ports = taken(parameters, "port", "");
        String sslMode = taken(parameters, "sslmode", "disable");
        String target0 = taken(parameters, "target_session_attrs", "any");
        String searchPath = parameters.remove("search_path");
        String root = parameters.remove("sslrootcert");
        String certificate = parameters.remove("sslcert");
        String key = parameters.remove("sslkey");
        Map<String, String> properties = new HashMap<>();
        for (String name : List.of("application_name", "options")) {
            String value = parameters.remove(name);
            if (value != null) {
                properties.put(name, value);
            }
        }
        IGNORED.forEach(parameters::remove);
        if (!parameters.isEmpty()) {
            throw new IllegalArgumentException(
                    "parameter " + parameters.keySet().iterator().next()
                            + " is not supported (supported: sslmode, sslrootcert, sslcert, sslkey, search_path,"
                            + " target_session_attrs, application_name, options, and what stands elsewhere in the URI)");
        }
        if (user.isEmpty()) {
            throw new IllegalArgumentException("names no user");
        }
        return new PostgresUri(
                hosts(hosts, ports),
                user,
                password,
                database.isEmpty() ? user : database,
                sslMode(sslMode),
                searchPath,
                root,
                certificate,
                key,
                targetsPrimary(target0),
                properties);
    }

    PostgresUri {
        hosts = List.copyOf(hosts);
        properties = Map.copyOf(properties);
        boolean verifies = sslMode == SslMode.VERIFY_CA || sslMode == SslMode.VERIFY_FULL;
        if (verifies && rootCertificate == null) {
            throw new IllegalArgumentException("sslmode " + text(sslMode)
                    + " needs sslrootcert (a file with the certificates of authorities, or system)");
        }
        if (SYSTEM.equals(rootCertificate) && sslMode != SslMode.VERIFY_FULL) {
            throw new IllegalArgumentException("sslrootcert system needs sslmode verify-full");
        }
        if ((certificate == null) != (key == null)) {
            throw new IllegalArgumentException("sslcert and sslkey must be given together");
        }
        for (String file : new String[] {rootCertificate, certificate, key}) {
            if (file != null && !file.equals(SYSTEM) && !Files.isReadable(Path.of(file))) {
                throw new IllegalArgumentException("the file " + file + " cannot be read");
            }
        }
    }

    private static String taken(Map<String, String> parameters, String name, String otherwise) {
        String value = parameters.remove(name);
        return value == null ? otherwise : value;
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> parameters = new TreeMap<>();
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                parameters.put(
                        PercentCoding.decode(pair.substring(0, equals)).toLowerCase(Locale.ROOT),
                        PercentCoding.decode(pair.substring(equals + 1)));
            } else if (!pair.isEmpty()) {
                throw new IllegalArgumentException("a parameter has no value");
            }
        }
        return parameters;
    }

    private static List<Host> hosts(String names, String ports) {
        String[] each = names.isEmpty() ? new String[] {"localhost"} : names.split(",", -1);
        String[] numbers = ports.isEmpty() ? new String[0] : ports.split(",", -1);
        if (numbers.length > 1 && numbers.length != each.length) {
            throw new IllegalArgumentException("has " + each.length + " hosts and " + numbers.length + " ports");
        }
        List<Host> hosts = new ArrayList<>();
        for (int i = 0; i < each.length; i++) {
            String host = each[i];
            int colon = host.startsWith("[") ? host.indexOf(':', host.indexOf(']') + 1) : host.indexOf(':');
            String port = colon >= 0
                    ? host.substring(colon + 1)
                    : numbers.length == 0 ? "" : numbers.length == 1 ? numbers[0] : numbers[i];
            String name = PercentCoding.decode(colon < 0 ? host : host.substring(0, colon));
            if (name.startsWith("[") && name.endsWith("]")) {
                name = name.substring(1, name.length() - 1);
            }
            if (name.startsWith("/")) {
                throw new IllegalArgumentException("a socket in the file system is not supported as host");
            }
            hosts.add(new Host(name.isEmpty() ? "localhost" : name, port(port)));
        }
        return hosts;
    }

    private static int port(String text) {
        if (text.isEmpty()) {
            return PORT;
        }
        if (!text.matches("\\d{1,5}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > 65535) {
            throw new IllegalArgumentException(
                    "a port must be a number from 1 to 65535 (a password with / or ? in it must"
                            + " be written with %2F or %3F)");
        }
        return Integer.parseInt(text);
    }

    private static SslMode sslMode(String text) {
        for (SslMode mode : SslMode.values()) {
            if (text(mode).equals(text)) {
                return mode;
            }
        }
        throw new IllegalArgumentException("sslmode must be disable, allow, prefer, require, verify-ca or verify-full");
    }

    private static String text(SslMode mode) {
        return mode.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static boolean targetsPrimary(String text) {
        return switch (text) {
            case "any" -> false;
            case "read-write", "primary" -> true;
            default ->
                throw new IllegalArgumentException(
                        "target_session_attrs must be any, read-write or primary: this service writes");
        };
    }

    /** Tells whether a message is about one of the files of this address. */
    boolean namesFile(String message) {
        return Stream.of(rootCertificate, certificate, key)
                .anyMatch(file -> file != null && !file.equals(SYSTEM) && message.contains(file));
    }

    /** Returns the name of the SSL mode, as in libpq. */
    String sslModeText() {
        return text(sslMode);
    }

    /** Returns the first schema of the search path; null if there is no search path. */
    @Nullable
    String schema() {
        return searchPath == null ? null : searchPath.split(",", -1)[0].strip().replace("\"", "");
    }

    /**
     * Returns the options for a connection to a host. Files are read each time, so that a certificate that is replaced
     * counts from the next connection on.
     */
    PgConnectOptions options(Host host) {
        PgConnectOptions options = new PgConnectOptions()
                .setHost(host.name())
                .setPort(host.port())
                .setUser(user)
                .setPassword(password)
                .setDatabase(database)
                .setSslMode(sslMode)
                .setCachePreparedStatements(true);
        // the defaults of the client stay, but for one that poolers do not know and that this service does not need
        Map<String, String> all = new HashMap<>(options.getProperties());
        all.remove("extra_float_digits");
        all.put("application_name", "config-service");
        all.putAll(properties);
        if (searchPath != null) {
            all.put("search_path", searchPath);
        }
        options.setProperties(all);
        if (sslMode != SslMode.DISABLE) {
            options.setSslOptions(ssl());
        }
        return options;
    }

    private ClientSSLOptions ssl() {
        ClientSSLOptions ssl =
                new ClientSSLOptions().setHostnameVerificationAlgorithm(sslMode == SslMode.VERIFY_FULL ? "HTTPS" : "");
        if (rootCertificate == null) {
            ssl.setTrustAll(true);
        } else if (!rootCertificate.equals(SYSTEM)) {
            ssl.setTrustOptions(new PemTrustOptions().addCertValue(read(rootCertificate)));
        }
        if (certificate != null && key != null) {
            ssl.setKeyCertOptions(
                    new PemKeyCertOptions().addCertValue(read(certificate)).addKeyValue(read(key)));
        }
        return ssl;
    }

    private static Buffer read(String file) {
        try {
            return Buffer.buffer(Files.readAllBytes(Path.of(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Omits the password. */
    @Override
    public String toString() {
        return hosts + "/" + database;
    }
}
