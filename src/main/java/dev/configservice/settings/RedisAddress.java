package dev.configservice.settings;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of a Redis server, written {@code redis[s]://[[user]:password@]host[:port][/database]}.
 *
 * @param password empty if there is none
 * @param user empty for the user {@code default}
 */
public record RedisAddress(boolean isTls, String user, String password, String host, int port, int database) {
    private static final Pattern PLACE =
            Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:/?#\\[\\]]+)(?::(\\d{1,5}))?(?:/(\\d{0,5}))?");

    private static final int PORT = 6379;

    /**
     * Reads an address. A password may hold any character, as it is or with percent signs.
     *
     * @throws IllegalArgumentException if it is not one; the message says why, without the password
     */
    public static RedisAddress parse(String uri) {
        boolean isTls = uri.startsWith("rediss://");
        if (uri.matches("rediss?[+-](sentinel|cluster|socket).*") || uri.startsWith("unix:")) {
            throw new IllegalArgumentException("Redis Sentinel, Redis Cluster and sockets in the file system are not"
                    + " supported; give the address of one server, or of a proxy that follows the primary");
        }
        if (!isTls && !uri.startsWith("redis://")) {
            throw new IllegalArgumentException("must begin with redis:// or rediss://");
        }
        String rest = uri.substring(uri.indexOf("//") + 2);
        int at = rest.lastIndexOf('@');
        String credentials = at < 0 ? "" : rest.substring(0, at);
        String place = rest.substring(at + 1);
        if (place.contains(",")) {
            throw new IllegalArgumentException(
                    "has several servers; Redis Sentinel and Redis Cluster are not supported");
        }
        Matcher m = PLACE.matcher(place);
        if (!m.matches()) {
            throw new IllegalArgumentException(
                    "must end with host:port, or host:port/database with the database's number");
        }
        int colon = credentials.indexOf(':');
        return new RedisAddress(
                isTls,
                PercentCoding.decode(colon < 0 ? credentials : credentials.substring(0, colon)),
                colon < 0 ? "" : PercentCoding.decode(credentials.substring(colon + 1)),
                m.group(1),
                m.group(2) == null ? PORT : Integer.parseInt(m.group(2)),
                m.group(3) == null || m.group(3).isEmpty() ? 0 : Integer.parseInt(m.group(3)));
    }

    /** Returns the address in a form in which no character of the password has a meaning of its own. */
    public String connectionString() {
        String credentials = user.isEmpty() && password.isEmpty()
                ? ""
                : PercentCoding.encode(user) + ":" + PercentCoding.encode(password) + "@";
        return (isTls ? "rediss://" : "redis://") + credentials + host + ":" + port + "/" + database;
    }

    /** Omits the password. */
    @Override
    public String toString() {
        return host + ":" + port;
    }
}
