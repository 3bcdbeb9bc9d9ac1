package dev.configservice.node;

import com.hazelcast.core.HazelcastInstance;
import dev.configservice.cluster.Grid;
import dev.configservice.cluster.NodeState;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.config.ConfigurationRoutes;
import dev.configservice.credential.AccessKeyKind;
import dev.configservice.credential.AccessKeyRoutes;
import dev.configservice.credential.Credentials;
import dev.configservice.credential.KeyUsage;
import dev.configservice.edge.CoreBus;
import dev.configservice.edge.CoreLoader;
import dev.configservice.edge.CoreLog;
import dev.configservice.edge.CoreRequests;
import dev.configservice.edge.EdgeFeedVerticle;
import dev.configservice.embedded.EmbeddedServers;
import dev.configservice.events.ChangeEvents;
import dev.configservice.events.audit.AuditLog;
import dev.configservice.events.audit.AuditRoutes;
import dev.configservice.events.audit.SecretReads;
import dev.configservice.events.kafka.KafkaFanoutVerticle;
import dev.configservice.events.stream.ChangeRoutes;
import dev.configservice.events.stream.ChangeStreams;
import dev.configservice.flag.EvaluationBus;
import dev.configservice.flag.FlagEvaluationVerticle;
import dev.configservice.flag.FlagKind;
import dev.configservice.flag.FlagRoutes;
import dev.configservice.flag.FlagUsage;
import dev.configservice.http.BodyBudget;
import dev.configservice.http.HttpVerticle;
import dev.configservice.http.Routes;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeFeedVerticle;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.Ids;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.Retention;
import dev.configservice.log.WriterVerticle;
import dev.configservice.ops.Health;
import dev.configservice.ops.Metrics;
import dev.configservice.ops.OpsRoutes;
import dev.configservice.postgres.Migrations;
import dev.configservice.postgres.Postgres;
import dev.configservice.registry.ActiveChecksVerticle;
import dev.configservice.registry.HeartbeatSweeperVerticle;
import dev.configservice.registry.InstanceKind;
import dev.configservice.registry.LeaseBeats;
import dev.configservice.registry.LeaseClock;
import dev.configservice.registry.Leases;
import dev.configservice.registry.Registry;
import dev.configservice.registry.RegistryRoutes;
import dev.configservice.secret.Keyring;
import dev.configservice.settings.Settings;
import dev.configservice.settings.SettingsException;
import dev.configservice.snapshot.NearCache;
import dev.configservice.snapshot.PostgresLoader;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.snapshot.SnapshotLoader;
import dev.configservice.snapshot.SnapshotStore;
import dev.configservice.vertx.EventLoops;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.healthchecks.Status;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: what is made, in which order, and undone in the opposite one, also where a later step of the
 * start fails.
 */
public final class Node implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Node.class);
    private static final Duration WRITE_DEADLINE = Duration.ofSeconds(5);
    private static final Duration NOTES_DEADLINE = Duration.ofSeconds(4);
    private static final Duration STEP_DEADLINE = Duration.ofSeconds(60);

    private final Deque<AutoCloseable> undo = new ArrayDeque<>();
    private final List<HttpVerticle> http = new ArrayList<>();
    private final Addresses addresses;
    private final Duration grace;
    private final NodeState state = new NodeState();

    /** Where everything is. Redis and Kafka are empty where there is none. */
    public record Addresses(String postgres, String redis, String kafka) {}

    private Node(Settings settings) {
        this.grace = settings.shutdown().grace();
        try {
            this.addresses = servers(settings);
            assemble(settings);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts a node. Blocks until it answers requests.
     *
     * @throws SettingsException it cannot start with these settings; nothing is left running
     */
    public static Node start(Settings settings) {
        return new Node(settings);
    }

    private Addresses servers(Settings settings) {
        if (settings.cluster().isEdge()) {
            return new Addresses("", "", "");
        }
        if (!settings.embedded().enabled()) {
            return new Addresses(
                    settings.postgres().uri(),
                    settings.redis().uri(),
                    settings.kafka().bootstrapServers());
        }
        EmbeddedServers servers = EmbeddedServers.start(settings.embedded());
        undo.push(servers);
        return new Addresses(servers.postgresUri(), servers.redisUri(), servers.kafkaBootstrapServers());
    }

    private void assemble(Settings settings) {
        InstantSource clock = InstantSource.system();
        Ids ids = new Ids(clock);
        boolean isEdge = settings.cluster().isEdge();
        Keyring keyring = keyring(settings);

        LeaseClock leaseClock = new LeaseClock();
        HazelcastInstance hazelcast = Grid.start(settings.cluster(), grace, config -> {
            NearCache.configure(config, settings.cache().nearEntries());
            Leases.configure(config, leaseClock);
        });
        undo.push(hazelcast::shutdown);
        Metrics metrics = new Metrics();
        Vertx vertx = await(Grid.vertx(hazelcast, settings.cluster(), metrics.forVertx(), Metrics.FOR_VERTX));
        undo.push(() -> await(vertx.close(), grace));

        Postgres postgres = isEdge ? Postgres.none(vertx) : postgres(vertx, settings);
        undo.push(() -> await(postgres.close(), Duration.ofSeconds(1)));
        ChangeLog changeLog = new ChangeLog(postgres);
        ChangeFeed feed = new ChangeFeed(vertx);
        ChangeBus bus = new ChangeBus(vertx, WRITE_DEADLINE);
        SnapshotStore redis =
                new SnapshotStore(vertx, addresses.redis(), settings.cluster().name(), clock);
        undo.push(redis::close);
        CoreBus cores = new CoreBus(vertx, Grid.nodeId(hazelcast));
        Grid.onLeave(hazelcast, cores::gone);
        CoreLog coreLog = new CoreLog(cores);
        SnapshotLoader loader = isEdge ? new CoreLoader(cores) : new PostgresLoader(postgres);
        NearCache near = new NearCache(hazelcast);
        vertx.executeBlocking(
                        () -> {
                            near.dropOfVersionBefore();
                            return null;
                        },
                        false)
                .onFailure(e -> log.warn("grid.not-dropped cause={}", e.toString()));
        SnapshotCache cache = new SnapshotCache(
                vertx, feed, near, redis, loader, isEdge ? settings.cache().nearEntries() : 0, metrics.registry());
        Resources resources = new Resources(cache, loader, changeLog, postgres, feed);
        KeyUsage usage = new KeyUsage(vertx, postgres, store(cores, isEdge, "key-usage", KeyUsage.in(postgres)));
        Credentials access = new Credentials(vertx, settings.access(), cache, feed, usage, clock, metrics.registry());
        List<ResourceKind> kinds =
                List.of(new ConfigurationKind(keyring), new FlagKind(), new InstanceKind(), new AccessKeyKind());
        ChangeEvents events = new ChangeEvents(kinds);
        EvaluationBus evaluations = new EvaluationBus(vertx);
        FlagUsage flagUsage = new FlagUsage(
                vertx,
                postgres,
                store(cores, isEdge, "flag-usage", FlagUsage.in(postgres)),
                !isEdge,
                clock,
                metrics.registry());
        Health health = new Health(vertx, feed, isEdge ? "core" : "postgres", redis, state);
        metrics.follow(feed);
        metrics.members(() -> hazelcast.getCluster().getMembers().size());

        Leases leases = new Leases(vertx, hazelcast, leaseClock);
        Registry registry = new Registry(
                cache, feed, bus, leases, new LeaseBeats(vertx, () -> !Grid.isAlone(hazelcast)), ids, clock);
        ChangeReader reader = new ChangeReader(feed, isEdge ? coreLog : changeLog);
        ChangeStreams streams = new ChangeStreams(
                vertx, bus, feed, reader, events, access, settings.changes(), clock, metrics.registry());
        SecretReads secretReads = new SecretReads(
                vertx, store(cores, isEdge, "secret-reads", SecretReads.in(postgres)), ids, clock, metrics.registry());
        List<Routes> features = List.of(
                new OpsRoutes(vertx, health, metrics.registry()),
                new ChangeRoutes(feed, reader, streams, events),
                new RegistryRoutes(registry, changeLog, metrics.registry()),
                new AuditRoutes(new AuditLog(postgres), events),
                new AccessKeyRoutes(cache, resources, bus, ids, usage, clock),
                new ConfigurationRoutes(
                        cache,
                        resources,
                        bus,
                        ids,
                        keyring,
                        secretReads,
                        settings.config().defaultEnvironment()),
                new FlagRoutes(
                        cache,
                        resources,
                        bus,
                        evaluations,
                        flagUsage,
                        ids,
                        settings.config().defaultEnvironment()));

        CoreRequests requests = new CoreRequests(cores, feed, keyring);
        if (isEdge) {
            await(vertx.deployVerticle(new EdgeFeedVerticle(feed, coreLog)));
        } else {
            ChangeFeedVerticle follower = new ChangeFeedVerticle(
                    feed, changeLog, postgres, new Migrations(vertx, postgres), redis, ids, clock);
            await(vertx.deployVerticle(follower));
            new Retention(
                    vertx,
                    postgres,
                    settings.changes().keep(),
                    settings.changes().partitionSize(),
                    metrics.registry());
            await(vertx.deployVerticle(new WriterVerticle(
                    bus, feed, follower, changeLog, postgres, kinds, clock, WRITE_DEADLINE, metrics.registry())));
            await(vertx.deployVerticle(new HeartbeatSweeperVerticle(
                    registry, leases, feed, postgres, settings.registry(), metrics.registry())));
            if (settings.registry().activeChecks()) {
                await(vertx.deployVerticle(
                        new ActiveChecksVerticle(registry, leases, feed, settings.registry(), metrics.registry())));
            }
            CoreLoader.serve(vertx, cores, feed, cache, resources);
            requests.serve(access, features);
            CoreLog.serve(cores, vertx, feed, reader);
        }
        await(EventLoops.deployOnEach(vertx, () -> new FlagEvaluationVerticle(evaluations, cache, flagUsage)));
        BodyBudget bodyBudget = BodyBudget.ofHeap(metrics.registry());
        deployHttp(
                vertx,
                settings,
                () -> new HttpVerticle(
                        settings.http(),
                        access,
                        feed,
                        ids,
                        features,
                        isEdge ? requests : null,
                        state,
                        bodyBudget,
                        metrics.registry()));
        deployKafka(vertx, settings, feed, changeLog, events, postgres, metrics, health);
        undo.push(() -> await(secretReads.write(), Duration.ofSeconds(2)));
        // while their connections are still there: the sweeper and the sender give back what they hold
        undo.push(() -> await(undeployAll(vertx), grace));
        undo.push(() -> leave(vertx, hazelcast, settings.shutdown().drain()));
        undo.push(streams::close);
        undo.push(() -> {
            state.leave();
            cores.leave();
        });
    }

    private static Keyring keyring(Settings settings) {
        String setting = settings.secrets().keyset();
        if (!setting.isEmpty() || !settings.embedded().enabled()) {
            return Keyring.of(setting);
        }
        Path kept = settings.embedded().directory().resolve("keyset.json");
        // an edge never makes one: it would be another than that of the core nodes
        return settings.cluster().isEdge() && !Files.exists(kept) ? Keyring.of("") : Keyring.of(Keyring.keptIn(kept));
    }

    /** Where batches of notes go: to the database on a core node, which takes those of edges too; from an edge to a core. */
    private static Function<String, Future<Void>> store(
            CoreBus cores, boolean isEdge, String topic, Function<String, Future<Void>> database) {
        if (isEdge) {
            // not asked twice: what adds up would be added twice
            return rows ->
                    cores.ask(topic, Buffer.buffer(rows), NOTES_DEADLINE, false).mapEmpty();
        }
        cores.serve(topic, rows -> database.apply(rows.toString()).map(Buffer.buffer()));
        return database;
    }

    private static Future<Void> undeployAll(Vertx vertx) {
        return Future.join(vertx.deploymentIDs().stream().map(vertx::undeploy).toList())
                .mapEmpty();
    }

    /** Answers for a while, where other nodes are there to take over. */
    private static void leave(Vertx vertx, HazelcastInstance hazelcast, Duration drain) {
        if (!Grid.isAlone(hazelcast) && !drain.isZero()) {
            log.info("stop.draining millis={}", drain.toMillis());
            await(vertx.timer(drain.toMillis(), TimeUnit.MILLISECONDS), drain.plusSeconds(1));
        }
    }

    private void deployKafka(
            Vertx vertx,
            Settings settings,
            ChangeFeed feed,
            ChangeLog changeLog,
            ChangeEvents events,
            Postgres postgres,
            Metrics metrics,
            Health health) {
        if (addresses.kafka().isEmpty()) {
            return;
        }
        KafkaFanoutVerticle fanout = new KafkaFanoutVerticle(
                settings.kafka(),
                addresses.kafka(),
                feed,
                changeLog,
                events,
                postgres,
                UUID.randomUUID().toString(),
                metrics.registry());
        await(vertx.deployVerticle(fanout));
        health.register("kafka", () -> Future.succeededFuture(fanout.isHealthy() ? Status.OK() : Status.KO()));
    }

    private static Postgres postgres(Vertx vertx, Settings settings, String uri) {
        try {
            return new Postgres(vertx, uri, settings.postgres().poolSize());
        } catch (IllegalArgumentException e) {
            throw new SettingsException(
                    "postgres.uri: (not shown) (expected: postgresql://user:password@host:port/database)");
        }
    }

    private Postgres postgres(Vertx vertx, Settings settings) {
        return postgres(vertx, settings, addresses.postgres());
    }

    private void deployHttp(Vertx vertx, Settings settings, java.util.function.Supplier<HttpVerticle> verticle) {
        try {
            await(EventLoops.deployOnEach(vertx, () -> {
                HttpVerticle one = verticle.get();
                http.add(one);
                return one;
            }));
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof SocketException cause) {
                throw new SettingsException("http.port: " + settings.http().host() + ":"
                        + settings.http().port() + " (expected: a free port on an address of this machine; "
                        + cause.getMessage() + ")");
            }
            throw e;
        }
    }

    /** The port that HTTP is answered on. */
    public int httpPort() {
        return http.get(0).port();
    }

    public Addresses addresses() {
        return addresses;
    }

    /** Stops everything, the last started first. */
    @Override
    public void close() {
        while (!undo.isEmpty()) {
            try {
                undo.pop().close();
            } catch (Exception | LinkageError e) {
                // whatever one step does, the others stop what they started
                log.warn("stop.step-failed cause={}", e.toString());
            }
        }
    }

    private static <T> T await(Future<T> future) {
        return await(future, STEP_DEADLINE);
    }

    private static <T> T await(Future<T> future, Duration deadline) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SettingsException settings) {
                throw settings;
            }
            throw new IllegalStateException(cause == null ? e.getMessage() : cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IllegalStateException("a step took more than " + deadline, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
