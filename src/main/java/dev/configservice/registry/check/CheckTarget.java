package dev.configservice.registry.check;

import dev.configservice.settings.AddressRange;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * The addresses that an active check may call. Without this limit, a caller could register an instance and use this
 * service to reach addresses that must stay out of reach.
 */
final class CheckTarget {
    /**
     * The addresses at which cloud providers serve metadata and credentials. The best-known one, 169.254.169.254, is
     * refused because it is link-local.
     */
    private static final Set<String> METADATA = Set.of(
            "fd00:ec2:0:0:0:0:0:254",
            "fd00:42:0:0:0:0:0:42",
            "fd20:ce:0:0:0:0:0:254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192");

    private CheckTarget() {}

    /**
     * Tells whether an address is refused: of this machine, link-local, of a metadata service, or not of a single host.
     *
     * @param allowed the ranges that are not refused nevertheless
     */
    static boolean isRefused(InetAddress given, List<AddressRange> allowed) {
        InetAddress address = plain(given.getAddress());
        if (allowed.stream().anyMatch(range -> range.contains(address))) {
            return false;
        }
        return address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                // 0.0.0.0/8 is this network, and some systems connect it to this machine
                || (address.getAddress().length == 4 && address.getAddress()[0] == 0)
                || METADATA.contains(address.getHostAddress())
                || isOfThisMachine(address);
    }

    private static boolean isOfThisMachine(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return true;
        }
    }

    /** Returns the address without an IPv6 scope. Returns the IPv4 address that an IPv6 address embeds, if any. */
    private static InetAddress plain(byte[] bytes) {
        try {
            boolean nat64 = bytes.length == 16
                    && bytes[0] == 0
                    && bytes[1] == 0x64
                    && (bytes[2] & 255) == 0xff
                    && (bytes[3] & 255) == 0x9b;
            // ::1 is no embedded address
            boolean compatible = bytes.length == 16 && startsWithZeros(bytes, 12) && !startsWithZeros(bytes, 15);
            if (nat64 || compatible) {
                return InetAddress.getByAddress(Arrays.copyOfRange(bytes, 12, 16));
            }
            boolean sixToFour = bytes.length == 16 && bytes[0] == 0x20 && bytes[1] == 2;
            return InetAddress.getByAddress(sixToFour ? Arrays.copyOfRange(bytes, 2, 6) : bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("every 4 or 16 bytes are a valid address", e);
        }
    }

    private static boolean startsWithZeros(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Returns user and password of a URL as HTTP's basic authentication sends them (RFC 7617). */
    static String basic(String userInfo) {
        String decoded = URLDecoder.decode(userInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
        return Base64.getEncoder()
                .encodeToString((decoded.contains(":") ? decoded : decoded + ":").getBytes(StandardCharsets.UTF_8));
    }

    /** Returns path and query. Host and port are set separately, and a fragment is never sent. */
    static String path(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
    }
}
