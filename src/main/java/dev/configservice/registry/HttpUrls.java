package dev.configservice.registry;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The properties of HTTP URLs that the registry needs. */
public final class HttpUrls {
    private static final Pattern AUTHORITY =
            Pattern.compile("(?:([^@]*)@)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._~-]+)(?::(\\d{1,5}))?");

    private HttpUrls() {}

    /** Tells whether the scheme of a URL is HTTP or HTTPS. */
    static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
    }

    /**
     * Returns the host of a URL; null if it has none. Unlike {@link URI#getHost}, it takes the names that DNS and
     * container tools use, with an underscore too.
     */
    public static @Nullable String host(URI uri) {
        Matcher m = authority(uri);
        return m == null ? null : m.group(2);
    }

    private static @Nullable Matcher authority(URI uri) {
        Matcher m = AUTHORITY.matcher(String.valueOf(uri.getRawAuthority()));
        return uri.getRawAuthority() != null && m.matches() ? m : null;
    }

    /** Returns the user and the password of a URL, still percent-encoded; null if it has none. */
    public static @Nullable String userInfo(URI uri) {
        Matcher m = authority(uri);
        return m == null ? null : m.group(1);
    }

    private static int givenPort(URI uri) {
        Matcher m = authority(uri);
        return m == null || m.group(3) == null ? -1 : Integer.parseInt(m.group(3));
    }

    /** Returns the rule that a URL breaks; null if it is absolute, with a host, and a port from 1 to 65535 if any. */
    static @Nullable String problem(String text) {
        if (text.length() > 2000) {
            return "must be at most 2000 characters";
        }
        try {
            URI uri = new URI(text);
            String host = host(uri);
            if (!uri.isAbsolute() || host == null || !isHost(host)) {
                return "must be an absolute URI with a host (letters, digits and . _ - or an IP address)";
            }
            int port = givenPort(uri);
            return port == -1 || (port >= 1 && port <= 65535) ? null : "must have a port from 1 to 65535";
        } catch (URISyntaxException e) {
            return "must be an absolute URI with a host";
        }
    }

    private static boolean isHost(String host) {
        if (host.startsWith("[")) {
            try {
                // a literal address in brackets, so there is no DNS lookup
                return InetAddress.getByName(host).getAddress().length > 0;
            } catch (UnknownHostException e) {
                return false;
            }
        }
        return host.length() <= 253 && !host.startsWith(".") && !host.contains("..");
    }

    /** Tells whether a text is a URL with a host. */
    public static boolean isValid(String text) {
        return problem(text) == null;
    }

    /** Returns a URL without user, password and query, which may hold secrets. */
    public static @Nullable String withoutSecrets(@Nullable String url) {
        if (url == null || (url.indexOf('@') < 0 && url.indexOf('?') < 0)) {
            return url;
        }
        URI uri = URI.create(url);
        int port = givenPort(uri);
        return uri.getScheme() + "://" + host(uri) + (port < 0 ? "" : ":" + port) + uri.getRawPath();
    }

    /** Returns the port of a URL, or the default port of its scheme: 443 for HTTPS, otherwise 80. */
    public static int port(URI uri) {
        int port = givenPort(uri);
        return port >= 0 ? port : ("https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80);
    }
}
