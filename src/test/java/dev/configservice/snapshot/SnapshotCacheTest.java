package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.json.Json;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeFeedVerticle;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKinds;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.UnitId;
import dev.configservice.log.UnitReader;
import dev.configservice.log.WriteResult;
import dev.configservice.log.WriterVerticle;
import dev.configservice.postgres.Migrations;
import dev.configservice.postgres.Postgres;
import dev.configservice.schema.SchemaSet;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.settings.CacheSettings;
import dev.configservice.settings.RedisSettings;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestServers;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The rule that a node serves no snapshot older than the revision that it has applied. The grid of the two nodes never
 * delivers an invalidation of the near caches.
 */
class SnapshotCacheTest {
    private static final CacheSettings MEMORY = new CacheSettings(10_000, 1L << 28);

    private final String cluster = "cache-" + UUID.randomUUID();
    private final String database = TestServers.newDatabase();
    private final TcpProxy proxy = new TcpProxy(URI.create(database).getPort());
    private final UnitId unit = new UnitId("configuration", "e", "s");
    private Node here;
    private Node there;

    @BeforeEach
    void start() {
        int port = Ports.free();
        here = new Node(database, port, port);
        there = new Node(database.replaceAll(":\\d+/", ":" + proxy.port() + "/"), Ports.free(), port);
        await().until(() -> there.hazelcast.getCluster().getMembers().size() == 2);
    }

    @AfterEach
    void stop() {
        there.close();
        here.close();
        proxy.close();
    }

    /** The parts of a node that handle reads and writes. */
    private final class Node implements AutoCloseable {
        private final Vertx vertx = Vertx.vertx();
        private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
        private final HazelcastInstance hazelcast;
        private final ChangeFeed feed = new ChangeFeed(vertx);
        private final ChangeBus bus = new ChangeBus(vertx, Duration.ofSeconds(5));
        private final Postgres postgres;
        private final RedisServer redis;
        private final SnapshotStore snapshots;
        private final NearCache near;
        private final SnapshotCache cache;
        private final Ids ids = new Ids(InstantSource.system());

        Node(String uri, int port, int seed) {
            Config config = new Config(cluster + "-" + port);
            config.setClusterName(cluster);
            config.setProperty("hazelcast.logging.type", "slf4j");
            config.setProperty("hazelcast.map.invalidation.batch.enabled", "true");
            config.setProperty("hazelcast.map.invalidation.batch.size", "1000000");
            config.setProperty("hazelcast.map.invalidation.batchfrequency.seconds", "100000");
            config.setProperty("hazelcast.phone.home.enabled", "false");
            config.getNetworkConfig().setPort(port).setPortAutoIncrement(false);
            config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
            config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
            config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
            config.getNetworkConfig()
                    .getJoin()
                    .getTcpIpConfig()
                    .setEnabled(true)
                    .addMember("127.0.0.1:" + seed);
            SnapshotSeal seal = new SnapshotSeal(new ClusterMac(cluster, "snapshots", List.of(cluster)), meters);
            NearCache.configure(config, MEMORY, seal);
            hazelcast = Hazelcast.newHazelcastInstance(config);
            postgres = new Postgres(vertx, uri, 4);
            ChangeLog changeLog = new ChangeLog(postgres, new ClusterMac(cluster, "log", List.of(cluster)));
            redis = new RedisServer(vertx, RedisSettings.at(TestServers.get().redisUri()), cluster);
            snapshots = new SnapshotStore(redis, seal);
            near = new NearCache(hazelcast, MEMORY.nearBytes());
            LargeUnits large = new LargeUnits(vertx, MEMORY.waitingBytes());
            cache = new SnapshotCache(
                    vertx, feed, near, snapshots, new PostgresLoader(postgres, large), large, 1L << 24, MEMORY, meters);
            cache.start();
            ChangeFeedVerticle follower = new ChangeFeedVerticle(
                    feed,
                    changeLog,
                    postgres,
                    Migrations.begin(uri, 4),
                    new RedisPosition(vertx, redis, InstantSource.system(), seal),
                    ids,
                    InstantSource.system());
            get(vertx.deployVerticle(follower));
            get(vertx.deployVerticle(new WriterVerticle(
                    bus,
                    feed,
                    follower,
                    changeLog,
                    unit -> cache.get(unit, 0)
                            .map(s -> new UnitReader.UnitState(
                                    s.resources().isEmpty() ? 0 : s.lastChange(), s.resources())),
                    postgres,
                    new ResourceKinds(List.of(new ConfigurationKind(
                            Keyring.of(""), (resource, actor, requestId) -> {}, new SchemaSet(), 1L << 24))),
                    InstantSource.system(),
                    Duration.ofSeconds(5),
                    meters)));
        }

        /** Creates a key in the layer of the service and one in the shared one, together. */
        void createBoth(String key) {
            List<Command> both = new ArrayList<>();
            for (String service : List.of("s", "")) {
                UUID id = ids.next();
                both.add(new Command.Create(
                        id,
                        "configuration",
                        id.toString(),
                        "e",
                        service,
                        key,
                        "{\"value\":1,\"is_encrypted\":false,\"description\":null}",
                        Sealed.NONE,
                        Origin.SYSTEM));
            }
            WriteResult.OfSet written = get(bus.write(new Command.Set(ids.next(), both, false)));
            assertThat(written.members()).hasSize(2);
        }

        WriteResult create(String service, String key) {
            UUID id = ids.next();
            return get(bus.write(new Command.Create(
                    id,
                    "configuration",
                    id.toString(),
                    "e",
                    service,
                    key,
                    "{\"value\":0,\"is_encrypted\":false,\"description\":null}",
                    Sealed.NONE,
                    Origin.SYSTEM)));
        }

        WriteResult set(String id, int value) {
            return get(bus.write(new Command.Update(
                    ids.next(),
                    "configuration",
                    id,
                    "{\"value\":" + value + "}",
                    Sealed.NONE,
                    null,
                    dev.configservice.log.Action.UPDATED,
                    null,
                    Origin.SYSTEM)));
        }

        Snapshot read(UnitId what) {
            return get(cache.get(what, 0));
        }

        double reads(String tier) {
            return meters.get("config_service_snapshot_reads")
                    .tag("tier", tier)
                    .counter()
                    .count();
        }

        @Override
        public void close() {
            get(vertx.close());
            redis.close();
            hazelcast.shutdown();
        }
    }

    /** Hazelcast evicts only from the partition that it puts into: units in many partitions must not pass its limit. */
    @Test
    void largeUnitsDoNotPassTheLimitOfTheGrid() {
        long max = Runtime.getRuntime().maxMemory() / 100 * MEMORY.gridPercent();
        byte[] random = new byte[1_500_000];
        new Random(1).nextBytes(random);
        ResourceRow row = ResourceRow.of(
                Json.write(Json.object().put("value", Base64.getEncoder().encodeToString(random))));
        int kept = 0;
        long offered = 4 * max / random.length;
        for (int i = 0; i < offered; i++) {
            UnitId large = new UnitId("configuration", "e", "large-" + i);
            Resource only = new Resource(large.kind(), "id", "e", large.serviceName(), "k", 1, i, 0, row, Sealed.NONE);
            byte[] packed =
                    Snapshot.of(large, new Position(1, i), i, List.of(only)).packed();
            kept += here.near
                            .offer("1/" + large.key(), Snapshot.ofPacked(large, new Position(1, i), i, packed))
                            .toCompletableFuture()
                            .orTimeout(20, TimeUnit.SECONDS)
                            .join()
                    ? 1
                    : 0;
        }
        assertThat(kept).isPositive();
        for (Node node : List.of(here, there)) {
            assertThat(node.hazelcast.getMap(NearCache.MAP).getLocalMapStats().getOwnedEntryMemoryCost())
                    .isPositive()
                    .isLessThanOrEqualTo(max);
        }
        // a small one still finds room
        UnitId small = new UnitId("configuration", "e", "small");
        Snapshot empty = Snapshot.ofPacked(small, new Position(1, 1), 1, "[]".getBytes(StandardCharsets.UTF_8));
        assertThat(here.near
                        .offer("1/" + small.key(), empty)
                        .toCompletableFuture()
                        .join())
                .isTrue();
    }

    private static <T> T get(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    private static String value(Snapshot snapshot) {
        return snapshot.resources().get(0).row().text().replaceAll(".*\"value\":(\\d+).*", "$1");
    }

    /** A set that comes between the reads of two layers is noticed, on the node that wrote it and on another. */
    @Test
    void twoLayersOfWhichOneIsFromBeforeASetDoNotAgree() {
        UnitId shared = new UnitId("configuration", "e", "");
        here.createBoth("first");
        for (Node node : List.of(here, there)) {
            await().until(() -> get(node.cache.get(shared, 0)).resources().size() >= 1);
            int known = get(node.cache.get(shared, 0)).resources().size();
            Snapshot before = get(node.cache.get(unit, 0));
            Snapshot beforeToo = get(node.cache.get(shared, 0));
            assertThat(node.cache.agree(before, beforeToo)).isTrue();
            here.createBoth("of-" + known);
            await().until(() -> get(node.cache.get(shared, 0)).resources().size() == known + 1);
            Snapshot after = get(node.cache.get(shared, 0));
            assertThat(node.cache.agree(before, after)).isFalse();
            assertThat(node.cache.agree(get(node.cache.get(unit, 0)), beforeToo))
                    .isFalse();
            assertThat(node.cache.agree(get(node.cache.get(unit, 0)), after)).isTrue();
            // what changes in one layer alone is no reason to read the other again
            here.create("s", "alone-" + known);
            await().until(() -> get(node.cache.get(unit, 0)).resources().size() > known + 1);
            assertThat(node.cache.agree(get(node.cache.get(unit, 0)), after)).isTrue();
        }
    }

    @Test
    void aLostInvalidationCausesNeitherAStaleReadNorALoad() {
        WriteResult created = here.create("s", "k");
        get(there.feed.awaitApplied(created.revision(), Duration.ofSeconds(5)));
        // both near caches hold the snapshot
        String key = "1/" + unit.key();
        await().until(() -> here.near.get(key).toCompletableFuture().join() != null
                && there.near.get(key).toCompletableFuture().join() != null);
        double loads = there.reads("postgres") + here.reads("postgres");

        for (int i = 1; i <= 50; i++) {
            long revision = here.set(created.resource().id(), i).revision();
            get(there.feed.awaitApplied(revision, Duration.ofSeconds(5)));

            assertThat(value(here.read(unit))).isEqualTo(Integer.toString(i));
            Snapshot read = there.read(unit);
            assertThat(value(read)).isEqualTo(Integer.toString(i));
            assertThat(read.asOf().revision()).isGreaterThanOrEqualTo(revision);
        }

        assertThat(there.reads("postgres") + here.reads("postgres")).isEqualTo(loads);
        // this proves that invalidations were held back: one of the near caches still holds the first state
        assertThat(List.of(
                        value((Snapshot)
                                here.near.get(key).toCompletableFuture().join()),
                        value((Snapshot)
                                there.near.get(key).toCompletableFuture().join())))
                .contains("0");
    }

    @Test
    void aReadDoesNotJoinALoadThatStartedBeforeTheLastWrite() throws InterruptedException {
        WriteResult created = here.create("s", "k");
        get(there.feed.awaitApplied(created.revision(), Duration.ofSeconds(5)));
        // a node that starts now knows that the unit exists, but holds no snapshot of it
        there.close();
        get(clearRedis());
        there = new Node(database.replaceAll(":\\d+/", ":" + proxy.port() + "/"), Ports.free(), portOf(here));
        here.near.clear();
        CountDownLatch held = proxy.holdAnswersOf("left join resources");

        CompletableFuture<Snapshot> first =
                there.cache.get(unit, 0).toCompletionStage().toCompletableFuture();
        assertThat(held.await(5, TimeUnit.SECONDS)).isTrue();
        long revision = here.set(created.resource().id(), 7).revision();
        get(there.feed.awaitApplied(revision, Duration.ofSeconds(5)));
        CompletableFuture<Snapshot> second =
                there.cache.get(unit, 0).toCompletionStage().toCompletableFuture();
        proxy.release();

        assertThat(value(first.orTimeout(10, TimeUnit.SECONDS).join())).isIn("0", "7");
        assertThat(value(second.orTimeout(10, TimeUnit.SECONDS).join())).isEqualTo("7");
    }

    private Future<?> clearRedis() {
        io.vertx.redis.client.Redis client = io.vertx.redis.client.Redis.createClient(
                here.vertx, TestServers.get().redisUri());
        return client.send(io.vertx.redis.client.Request.cmd(io.vertx.redis.client.Command.DEL)
                .arg("cs:{" + cluster + "}:s:" + unit.key()));
    }

    private static int portOf(Node node) {
        return node.hazelcast.getCluster().getLocalMember().getAddress().getPort();
    }

    @Test
    void readsOfAConstantlyWrittenUnitNeedFewLoads() {
        WriteResult created = here.create("s", "k");
        String id = created.resource().id();
        get(there.feed.awaitApplied(created.revision(), Duration.ofSeconds(5)));
        double before = there.reads("postgres");
        CompletableFuture<Integer> writer = CompletableFuture.supplyAsync(() -> {
            int n = 0;
            while (n < 300) {
                here.set(id, ++n);
            }
            return n;
        });
        int reads = 0;
        int last = 0;
        while (!writer.isDone()) {
            int value = Integer.parseInt(value(there.read(unit)));
            assertThat(value).isGreaterThanOrEqualTo(last);
            last = value;
            reads++;
        }

        assertThat(writer.join()).isEqualTo(300);
        assertThat(reads).isGreaterThan(100);
        assertThat(there.reads("postgres") - before).isLessThan(5);
    }

    @Test
    void readsOfUnknownNamesNeitherLoadNorFillTheCaches() {
        here.create("s", "k");
        int entries = 1;
        await().until(() -> here.hazelcast.getMap(NearCache.MAP).size() == entries);
        double loads = here.reads("postgres");

        for (int i = 0; i < 2000; i++) {
            assertThat(here.read(new UnitId("configuration", "e", "random-" + i))
                            .resources())
                    .isEmpty();
        }

        assertThat(here.reads("empty")).isGreaterThanOrEqualTo(2000);
        assertThat(here.reads("postgres")).isEqualTo(loads);
        assertThat(here.hazelcast.getMap(NearCache.MAP).size()).isEqualTo(entries);
    }

    @Test
    void anOlderSnapshotDoesNotReplaceANewerOne() {
        String id = here.create("s", "k").resource().id();
        Snapshot old = here.read(unit);
        here.set(id, 1);
        Snapshot newer = here.read(unit);
        String key = newer.asOf().epoch() + "/" + unit.key();

        here.near.offer(key, newer).toCompletableFuture().join();
        assertThat(there.near.offer(key, old).toCompletableFuture().join()).isFalse();
        get(there.snapshots.put(there.snapshots.seal(newer)));
        get(there.snapshots.put(there.snapshots.seal(old)));

        assertThat(get(there.snapshots.get(unit)).asOf()).isEqualTo(newer.asOf());
    }

    /** Hazelcast can only count the entries of its near cache: the limit in bytes is this service's own. */
    @Test
    void theNearCacheIsLimitedInBytes() {
        NearCache small = new NearCache(here.hazelcast, 20_000);
        List<Snapshot> read = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            here.create("s" + i, "k");
            Snapshot snapshot = there.read(new UnitId("configuration", "e", "s" + i));
            String key = snapshot.asOf().epoch() + "/" + snapshot.unit().key();
            there.near.offer(key, snapshot).toCompletableFuture().join();
            // the first get brings it here, a moment later it is in the near cache
            Snapshot mine = (Snapshot) await().until(
                            () -> {
                                var stage = here.near.get(key).toCompletableFuture();
                                return stage.isDone() ? stage.join() : null;
                            },
                            Objects::nonNull);
            read.add(Objects.requireNonNull(mine));
            small.used(key, mine);
        }
        long one = read.get(0).bytes();
        assertThat(small.bytes()).isBetween(20_000 - 2 * one, 20_000L);
        assertThat(here.hazelcast
                        .getMap(NearCache.MAP)
                        .getLocalMapStats()
                        .getNearCacheStats()
                        .getOwnedEntryCount())
                .isLessThanOrEqualTo(20_000 / one + 1);
        // what left the near cache is still in the grid
        for (int i = 0; i < 50; i++) {
            assertThat(value(here.read(new UnitId("configuration", "e", "s" + i))))
                    .isEqualTo("0");
        }
    }
}
