package dev.configservice.node;

import dev.configservice.cluster.Grid;
import dev.configservice.credential.KeyUsage;
import dev.configservice.edge.CoreLoader;
import dev.configservice.edge.CoreLog;
import dev.configservice.edge.CoreRequests;
import dev.configservice.edge.RemoteBatches;
import dev.configservice.embedded.EmbeddedServers;
import dev.configservice.events.audit.AccessDenials;
import dev.configservice.events.audit.SecretReads;
import dev.configservice.events.kafka.ChangeMessages;
import dev.configservice.events.kafka.KafkaFanoutVerticle;
import dev.configservice.events.kafka.KafkaProperties;
import dev.configservice.events.kafka.TopicMessages;
import dev.configservice.facade.spring.RefreshMessages;
import dev.configservice.flag.FlagUsage;
import dev.configservice.http.Forwarder;
import dev.configservice.http.Routes;
import dev.configservice.log.ChangeFeedVerticle;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Retention;
import dev.configservice.log.Seals;
import dev.configservice.log.UnitReader;
import dev.configservice.log.WriterVerticle;
import dev.configservice.postgres.Migrations;
import dev.configservice.postgres.Postgres;
import dev.configservice.registry.HeartbeatSweeperVerticle;
import dev.configservice.registry.check.ActiveChecksVerticle;
import dev.configservice.resource.VersionedKind;
import dev.configservice.settings.KafkaSettings;
import dev.configservice.settings.RedisSettings;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import dev.configservice.snapshot.PostgresLoader;
import dev.configservice.snapshot.RedisPosition;
import dev.configservice.snapshot.RedisServer;
import io.vertx.core.Future;
import io.vertx.ext.healthchecks.Status;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/** A node with PostgreSQL: it writes, sweeps leases, sends changes to Kafka, and answers the requests of edges. */
final class CoreNode extends Node {
    private final Addresses addresses;

    private CoreNode(Addresses addresses, Lifecycle lifecycle, NodeServer server, List<Routes> routes) {
        super(lifecycle, server, routes);
        this.addresses = addresses;
    }

    static CoreNode start(Settings settings, List<VersionedKind> furtherKinds, Lifecycle lifecycle) {
        Addresses addresses = addresses(settings, lifecycle);
        KafkaProperties kafka = new KafkaProperties(
                addresses.kafka(),
                settings.embedded().enabled() ? "" : settings.kafka().clientProperties());
        kafka.check();
        Migrations migrations =
                migrations(addresses.postgres(), settings.postgres().poolSize());
        NodeParts parts = new NodeParts(settings, NodeParts::keyring, lifecycle);
        Postgres postgres = new Postgres(
                parts.vertx, addresses.postgres(), settings.postgres().poolSize());
        lifecycle.onStop(() -> Lifecycle.await(postgres.close(), Duration.ofSeconds(1)));
        Postgres lists = postgres.forLists();
        lifecycle.onStop(() -> Lifecycle.await(lists.close(), Duration.ofSeconds(1)));
        RedisServer redis = new RedisServer(
                parts.vertx,
                settings.embedded().enabled() ? RedisSettings.at(addresses.redis()) : settings.redis(),
                settings.cluster().name());
        lifecycle.onStop(redis::close);
        Future<Void> redisChecked = redis.check();
        ChangeLog changeLog = new ChangeLog(postgres, parts.logMac);
        Sources sources = new Sources(
                "postgres",
                postgres,
                lists,
                changeLog,
                changeLog,
                redis,
                new PostgresLoader(postgres, parts.large),
                0,
                KeyUsage.store(postgres),
                FlagUsage.store(postgres),
                SecretReads.store(postgres),
                AccessDenials.store(postgres));
        Features features = new Features(parts, sources, furtherKinds);
        features.follow(sources);
        features.clean();
        features.fleet.start();
        followAndWrite(parts, features, sources, migrations);
        serveEdges(parts, features, sources);
        Lifecycle.await(redisChecked);
        NodeServer server = features.serve(Forwarder.NONE);
        if (!addresses.kafka().isEmpty()) {
            KafkaSettings ours = settings.kafka();
            sendToKafka(parts, features, sources, kafka, ours, new ChangeMessages(features.events));
            String bus = settings.spring().busTopic();
            if (!bus.isEmpty()) {
                sendToKafka(
                        parts,
                        features,
                        sources,
                        kafka,
                        ours.with(bus, 1),
                        new RefreshMessages(Grid.nodeId(parts.hazelcast), parts.clock));
            }
        }
        parts.leaveOnStop(features);
        return new CoreNode(addresses, lifecycle, server, features.routes);
    }

    private static Addresses addresses(Settings settings, Lifecycle lifecycle) {
        if (!settings.embedded().enabled()) {
            return new Addresses(
                    settings.postgres().uri(),
                    settings.redis().uri(),
                    settings.kafka().bootstrapServers());
        }
        EmbeddedServers servers = EmbeddedServers.start(settings.embedded());
        lifecycle.onStop(servers);
        return new Addresses(servers.postgresUri(), servers.redisUri(), servers.kafkaBootstrapServers());
    }

    private static Migrations migrations(String uri, int poolSize) {
        try {
            return Migrations.begin(uri, poolSize);
        } catch (IllegalArgumentException e) {
            throw new SettingsException("postgres.uri: (not shown) " + e.getMessage()
                    + " (expected: postgresql://user:password@host:port/database, with parameters as in libpq)");
        }
    }

    private static void followAndWrite(NodeParts parts, Features features, Sources sources, Migrations migrations) {
        Settings settings = parts.settings;
        ChangeFeedVerticle follower = new ChangeFeedVerticle(
                parts.feed,
                sources.changeLog(),
                sources.postgres(),
                migrations,
                new RedisPosition(parts.vertx, sources.redis(), parts.clock, parts.seal),
                parts.ids,
                parts.clock);
        Lifecycle.await(parts.vertx.deployVerticle(follower));
        new Seals(parts.vertx, sources.postgres(), parts.feed, parts.logMac, parts.clock).start();
        new Retention(
                        parts.vertx,
                        sources.postgres(),
                        settings.changes().keep(),
                        settings.changes().historyKeep(),
                        settings.changes().partitionSize(),
                        features.kinds,
                        parts.metrics.registry())
                .start();
        Lifecycle.await(parts.vertx.deployVerticle(new WriterVerticle(
                parts.bus,
                parts.feed,
                follower,
                sources.changeLog(),
                unit -> features.cache
                        .get(unit, 0)
                        .map(s ->
                                new UnitReader.UnitState(s.resources().isEmpty() ? 0 : s.lastChange(), s.resources())),
                sources.postgres(),
                features.kinds,
                parts.clock,
                NodeParts.WRITE_DEADLINE,
                parts.metrics.registry())));
        Lifecycle.await(parts.vertx.deployVerticle(new HeartbeatSweeperVerticle(
                features.registry,
                features.leases,
                parts.feed,
                sources.postgres(),
                settings.registry(),
                parts.metrics.registry())));
        if (settings.registry().activeChecks()) {
            Lifecycle.await(parts.vertx.deployVerticle(new ActiveChecksVerticle(
                    features.registry, features.leases, parts.feed, settings.registry(), parts.metrics.registry())));
        }
    }

    private static void serveEdges(NodeParts parts, Features features, Sources sources) {
        CoreLoader.serve(parts.vertx, parts.cores, parts.feed, features.cache, features.resources);
        CoreLog.serve(parts.cores, parts.vertx, parts.feed, features.reader);
        new CoreRequests(parts.cores, parts.feed, parts.keyring).serve(features.credentials, features.routes);
        RemoteBatches.KEY_USAGE.serve(parts.cores, sources.keyUsage());
        RemoteBatches.FLAG_USAGE.serve(parts.cores, sources.flagUsage());
        RemoteBatches.SECRET_READS.serve(parts.cores, sources.secretReads());
        RemoteBatches.ACCESS_DENIALS.serve(parts.cores, sources.accessDenials());
    }

    private static void sendToKafka(
            NodeParts parts,
            Features features,
            Sources sources,
            KafkaProperties properties,
            KafkaSettings settings,
            TopicMessages messages) {
        KafkaFanoutVerticle fanout = new KafkaFanoutVerticle(
                settings,
                properties,
                parts.feed,
                sources.changeLog(),
                messages,
                sources.postgres(),
                UUID.randomUUID().toString(),
                parts.metrics.registry());
        Lifecycle.await(parts.vertx.deployVerticle(fanout));
        features.health.register(
                messages.part(), () -> Future.succeededFuture(fanout.isHealthy() ? Status.OK() : Status.KO()));
    }

    @Override
    public Addresses addresses() {
        return addresses;
    }
}
