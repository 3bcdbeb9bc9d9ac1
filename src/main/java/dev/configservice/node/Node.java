package dev.configservice.node;

import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.resource.VersionedKind;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import java.util.List;

/** A running node of the service. */
public abstract sealed class Node implements AutoCloseable permits CoreNode, EdgeNode {
    private final Lifecycle lifecycle;
    private final NodeServer server;
    private final List<Routes> routes;

    Node(Lifecycle lifecycle, NodeServer server, List<Routes> routes) {
        this.lifecycle = lifecycle;
        this.server = server;
        this.routes = routes;
    }

    /**
     * Starts a node. Blocks until it answers requests.
     *
     * @throws SettingsException if it cannot start with these settings; nothing is left running
     */
    public static Node start(Settings settings) {
        return start(settings, List.of());
    }

    /** Starts a node with additional kinds of resources. */
    public static Node start(Settings settings, List<VersionedKind> furtherKinds) {
        Lifecycle lifecycle = new Lifecycle();
        try {
            return settings.cluster().isEdge()
                    ? EdgeNode.start(settings, furtherKinds, lifecycle)
                    : CoreNode.start(settings, furtherKinds, lifecycle);
        } catch (RuntimeException e) {
            lifecycle.close();
            throw e;
        }
    }

    /** Returns the routes that the node serves. */
    public List<Route> routes() {
        return routes.stream().flatMap(feature -> feature.routes().stream()).toList();
    }

    /** Returns the port of the HTTP server. */
    public int httpPort() {
        return server.port();
    }

    /** Returns the addresses of the servers that the node uses. */
    public abstract Addresses addresses();

    /** Stops everything in the reverse order of the start. */
    @Override
    public void close() {
        lifecycle.close();
    }
}
