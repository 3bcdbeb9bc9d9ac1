package dev.configservice.node;

import dev.configservice.http.HttpVerticle;
import dev.configservice.settings.HttpSettings;
import dev.configservice.settings.SettingsException;
import dev.configservice.vertx.EventLoops;
import io.vertx.core.Vertx;
import java.net.SocketException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** The HTTP servers of a node, one on each event loop. They share the port. */
final class NodeServer {
    private final List<HttpVerticle> servers = new CopyOnWriteArrayList<>();

    /** Starts the servers. Throws {@link SettingsException} if the port is already in use. */
    void start(Vertx vertx, HttpSettings settings, Supplier<HttpVerticle> verticle) {
        try {
            Lifecycle.await(EventLoops.deployOnEach(vertx, () -> {
                HttpVerticle one = verticle.get();
                servers.add(one);
                return one;
            }));
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof SocketException cause) {
                throw new SettingsException("http.port: " + settings.host() + ":" + settings.port()
                        + " (expected: a free port on an address of this machine; " + cause.getMessage() + ")");
            }
            throw e;
        }
    }

    int port() {
        return servers.get(0).port();
    }
}
