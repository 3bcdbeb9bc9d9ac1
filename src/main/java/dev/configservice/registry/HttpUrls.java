package dev.configservice.registry;

import java.net.URI;

/** What the registry asks of URLs. */
public final class HttpUrls {
    private HttpUrls() {}

    /** Tells whether a URL is one of HTTP or HTTPS. */
    static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
    }

    /** The port of a URL, or the default one of its scheme: 443 for HTTPS, else 80. */
    public static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : ("https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80);
    }
}
