package dev.configservice.registry;

import java.net.InetAddress;
import java.net.URI;
import java.util.Set;

/** What an active check may call: so that whoever registers an instance cannot make this service ask where it must not. */
final class CheckTarget {
    /** Where clouds answer with credentials, beside the link-local 169.254.169.254. */
    private static final Set<String> METADATA = Set.of("fd00:ec2:0:0:0:0:0:254", "100.100.100.200");

    private CheckTarget() {}

    /** Whether an address is never called: link-local ones, those of metadata services, those of no single host. */
    static boolean isRefused(InetAddress address) {
        return address.isLinkLocalAddress()
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || METADATA.contains(address.getHostAddress());
    }

    /** Whether a URL can be called at all. */
    static boolean isHttp(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
    }

    static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : ("https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80);
    }

    /** Path and query; what stands before is said otherwise, a fragment is never sent. */
    static String path(URI uri) {
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
    }
}
