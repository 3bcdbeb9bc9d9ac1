package dev.configservice.registry.check;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Set;

/** What an active check may call: so that whoever registers an instance cannot make this service ask where it must not. */
final class CheckTarget {
    /** Where clouds answer with credentials, beside the link-local 169.254.169.254. */
    private static final Set<String> METADATA =
            Set.of("fd00:ec2:0:0:0:0:0:254", "100.100.100.200", "168.63.129.16", "192.0.0.192");

    private CheckTarget() {}

    /** Whether an address is never called: link-local ones, those of metadata services, those of no single host. */
    static boolean isRefused(InetAddress given) {
        InetAddress address = plain(given.getAddress());
        return address.isLinkLocalAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || METADATA.contains(address.getHostAddress());
    }

    /** Without a scope, and where an IPv6 address stands for an IPv4 one, that. */
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
            throw new IllegalStateException("4 or 16 bytes are an address", e);
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

    /** Path and query; what stands before is said otherwise, a fragment is never sent. */
    static String path(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
    }
}
