package dev.configservice.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/** Pages for browsers: packaged files, and the headers that limit what a page may do. */
public final class Pages {
    private Pages() {}

    /** Returns the response with a page, which may load scripts and styles only from here, and is in no frame. */
    public static Response secured(Response page) {
        return secured(page, null);
    }

    /**
     * Returns the response with a page, in the same way.
     *
     * @param issuer the issuer of tokens, to which the page may connect, too; null for none
     */
    public static Response secured(Response page, @Nullable String issuer) {
        String connect = issuer == null ? "" : " " + origin(issuer);
        return page.header(
                        "Content-Security-Policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" + connect
                                + "; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
                .header("Referrer-Policy", "no-referrer")
                .header("X-Content-Type-Options", "nosniff");
    }

    private static String origin(String issuer) {
        URI uri = URI.create(issuer);
        return uri.getScheme() + "://" + uri.getAuthority();
    }

    /** Returns a packaged file. */
    public static byte[] resource(String name) {
        try (InputStream in = Pages.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("not packaged: " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("cannot be read: " + name, e);
        }
    }
}
