package dev.configservice.registry.check;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
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
    private static final Set<String> METADATA =
            Set.of("fd00:ec2:0:0:0:0:0:254", "100.100.100.200", "168.63.129.16", "192.0.0.192");

    private CheckTarget() {}

    /** Tells whether an address is refused: link-local, of a metadata service, or not of a single host. */
    static boolean isRefused(InetAddress given) {
        InetAddress address = plain(given.getAddress());
        return address.isLinkLocalAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || METADATA.contains(address.getHostAddress());
    }

    /** Returns the address without an IPv6 scope. Returns the IPv4 address that an IPv6 address embeds, if any. */
    private static InetAddress plain(byte[] bytes) {
        try {
            boolean nat64 = bytes.length == 16
                    && bytes[0] == 0
                    && bytes[1] == 0x64
                    && (bytes[2] & 255) == 0xff
                    && (bytes[3] & 255) == 0x9b;
            if (nat64 || (bytes.length == 16 && startsWithZeros(bytes, 12) && !startsWithZeros(bytes, 15))) {
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

    /** Returns path and query. Host and port are set separately, and a fragment is never sent. */
    static String path(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
    }
}
