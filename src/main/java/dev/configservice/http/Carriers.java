package dev.configservice.http;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.MultiMap;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The headers that carry a credential: {@code Authorization} and {@code X-API-Key}. With {@code Basic} (RFC 7617) the
 * password is the key or token, and the user name does not count.
 */
public final class Carriers {
    /** The scheme of a credential that may be a key or a token. */
    public static final String KEY_OR_TOKEN = "KeyOrToken";

    /** The header for clients that cannot set {@code Authorization}. */
    public static final String API_KEY = "x-api-key";

    private Carriers() {}

    /**
     * Returns the credential of a request in a dialect. The dialect's own header wins over others, and its query parameter
     * counts where there is none. Empty ones count as absent.
     *
     * @param fromQuery the value of {@link Route#ACCESS_TOKEN}, or of the dialect's own parameter
     */
    public static @Nullable String of(Dialect dialect, MultiMap headers, @Nullable String fromQuery) {
        String own = dialect.carrier();
        if (own == null) {
            return credential(headers, fromQuery);
        }
        String key = headers.get(own);
        if (key != null && !key.isBlank()) {
            return KEY_OR_TOKEN + " " + key.strip();
        }
        String plain = plain(headers.get("authorization"));
        return plain != null || fromQuery == null || fromQuery.isBlank()
                ? plain
                : KEY_OR_TOKEN + " " + fromQuery.strip();
    }

    /**
     * Returns the credential of a request as the value of an {@code Authorization} header, without {@code Basic}; null
     * if there is none. Fails with {@link ErrorCode#INVALID} if the request has two credentials that differ.
     */
    public static @Nullable String credential(MultiMap headers, @Nullable String fromQuery) {
        String credential = plain(headers.get("authorization"));
        String key = headers.get(API_KEY);
        if (key != null) {
            credential = same(credential, KEY_OR_TOKEN + " " + key.strip());
        }
        return fromQuery == null ? credential : same(credential, KEY_OR_TOKEN + " " + fromQuery);
    }

    private static String same(@Nullable String one, String other) {
        if (one != null && !secret(one).equals(secret(other))) {
            throw ServiceException.invalid(
                    "Authorization", "differs from another credential of this request (X-API-Key or access_token)");
        }
        return one == null ? other : one;
    }

    private static String secret(String credential) {
        return credential.substring(credential.indexOf(' ') + 1).strip();
    }

    private static @Nullable String plain(@Nullable String authorization) {
        if (authorization == null || !isBasic(authorization)) {
            return authorization == null || !isKeyAsBearer(authorization)
                    ? authorization
                    : KEY_OR_TOKEN + authorization.substring("Bearer".length());
        }
        try {
            String decoded = new String(
                    Base64.getDecoder()
                            .decode(authorization.substring("Basic ".length()).strip()),
                    StandardCharsets.UTF_8);
            int colon = decoded.indexOf(':');
            if (colon >= 0) {
                return KEY_OR_TOKEN + " " + decoded.substring(colon + 1);
            }
        } catch (IllegalArgumentException e) {
            // reported below, like a value without a password
        }
        throw new ServiceException(
                ErrorCode.UNAUTHENTICATED, "Authorization: Basic must be the base64 of user:password");
    }

    /** Tells whether what is sent as a bearer token is no JSON web token, which has three parts, and so is a key. */
    private static boolean isKeyAsBearer(String authorization) {
        return authorization.regionMatches(true, 0, "Bearer ", 0, "Bearer ".length())
                && authorization.chars().filter(c -> c == '.').count() != 2;
    }

    private static boolean isBasic(@Nullable String authorization) {
        return authorization != null && authorization.regionMatches(true, 0, "Basic ", 0, "Basic ".length());
    }

    /**
     * Refuses a write with {@code Basic} that a page of another origin sent: browsers add such a credential by
     * themselves.
     */
    static void refuseForeignWrites(MultiMap headers, List<String> origins) {
        if (!isBasic(headers.get("authorization"))) {
            return;
        }
        String origin = headers.get("origin");
        if (origin != null && (origins.contains("*") || origins.contains(origin))) {
            return;
        }
        String site = headers.get("sec-fetch-site");
        boolean foreignSite = site != null && !site.equals("same-origin") && !site.equals("none");
        if (foreignSite || (origin != null && !isSame(origin, headers.get("host")))) {
            throw new ServiceException(
                    ErrorCode.FORBIDDEN, "A page of another origin may not write with Basic (http.cors-origins)");
        }
    }

    private static boolean isSame(String origin, @Nullable String host) {
        try {
            return String.valueOf(URI.create(origin).getRawAuthority()).equalsIgnoreCase(host);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Tells whether a {@code Host} header names this machine, as in {@code localhost:8082}. */
    static boolean isLoopback(@Nullable String host) {
        if (host == null) {
            return false;
        }
        String name = host.toLowerCase(Locale.ROOT);
        int colon = name.lastIndexOf(':');
        if (colon > name.lastIndexOf(']')) {
            name = name.substring(0, colon);
        }
        return name.equals("localhost")
                || name.equals("localhost.")
                || name.endsWith(".localhost")
                || name.equals("[::1]")
                || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }
}
