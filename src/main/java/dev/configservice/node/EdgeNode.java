package dev.configservice.node;

import dev.configservice.edge.CoreLoader;
import dev.configservice.edge.CoreLog;
import dev.configservice.edge.CoreRequests;
import dev.configservice.edge.EdgeFeedVerticle;
import dev.configservice.edge.RemoteBatches;
import dev.configservice.http.Routes;
import dev.configservice.log.ChangeLog;
import dev.configservice.postgres.Postgres;
import dev.configservice.resource.VersionedKind;
import dev.configservice.settings.RedisSettings;
import dev.configservice.settings.Settings;
import dev.configservice.snapshot.RedisServer;
import java.util.List;

/** A node without PostgreSQL, Redis or Kafka: it answers reads from memory, and asks core nodes for all else. */
final class EdgeNode extends Node {
    private EdgeNode(Lifecycle lifecycle, NodeServer server, List<Routes> routes) {
        super(lifecycle, server, routes);
    }

    static EdgeNode start(Settings settings, List<VersionedKind> furtherKinds, Lifecycle lifecycle) {
        NodeParts parts = new NodeParts(settings, NodeParts::existingKeyring, lifecycle);
        Postgres none = Postgres.none(parts.vertx);
        CoreLog coreLog = new CoreLog(parts.cores);
        Sources sources = new Sources(
                "core",
                none,
                none,
                new ChangeLog(none, parts.logMac),
                coreLog,
                new RedisServer(
                        parts.vertx, RedisSettings.none(), settings.cluster().name()),
                new CoreLoader(parts.cores),
                settings.cache().nearBytes() / 2,
                RemoteBatches.KEY_USAGE.on(parts.cores),
                RemoteBatches.FLAG_USAGE.on(parts.cores),
                RemoteBatches.SECRET_READS.on(parts.cores),
                RemoteBatches.ACCESS_DENIALS.on(parts.cores));
        Features features = new Features(parts, sources, furtherKinds);
        features.follow(sources);
        Lifecycle.await(parts.vertx.deployVerticle(new EdgeFeedVerticle(parts.feed, coreLog)));
        NodeServer server = features.serve(new CoreRequests(parts.cores, parts.feed, parts.keyring));
        parts.leaveOnStop(features);
        return new EdgeNode(lifecycle, server, features.routes);
    }

    @Override
    public Addresses addresses() {
        return Addresses.NONE;
    }
}
