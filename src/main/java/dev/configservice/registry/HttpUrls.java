package dev.configservice.registry;

import java.net.URI;

/** The properties of HTTP URLs that the registry needs. */
public final class HttpUrls {
    private HttpUrls() {}

    /** Tells whether the scheme of a URL is HTTP or HTTPS. */
    static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
    }

    /** Returns the port of a URL, or the default port of its scheme: 443 for HTTPS, otherwise 80. */
    public static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : ("https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80);
    }
}
