package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.log.Position;
import dev.configservice.log.PositionStore;
import dev.configservice.log.UnitId;
import dev.configservice.secret.ClusterMac;
import dev.configservice.settings.RedisSettings;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestRedis;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Nodes that start while Redis has lost part of what it held, or holds it damaged. */
@Tag("servers")
@Tag("long")
class RedisLossTest {
    private final TestPostgres postgres = new TestPostgres();
    private final TestRedis redis = new TestRedis();
    private final Map<String, Map<String, String>> whole = new HashMap<>();

    @AfterEach
    void stop() {
        redis.close();
        postgres.close();
    }

    private TestNode node() {
        return TestNode.start(
                Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri(), "CS_CLUSTER_NAME", cluster()));
    }

    private String cluster() {
        return "loss-" + postgres.port();
    }

    private void fill() {
        try (TestNode node = node()) {
            for (String service : List.of("", ",\"service_name\":\"s\"")) {
                assertThat(node.admin()
                                .post(
                                        "/config",
                                        "{\"key\":\"k\",\"value\":\"v" + service.length() + "\",\"environment\":\"e\""
                                                + service + "}")
                                .status())
                        .isEqualTo(201);
            }
            assertThat(node.admin()
                            .post("/feature-flags", "{\"name\":\"f\",\"environment\":\"e\",\"is_enabled\":true}")
                            .status())
                    .isEqualTo(201);
            read(node, true);
            await().until(() -> client(c -> c.keys("*:s:*")).size() >= 3);
        }
        client(c -> {
            c.keys("*").forEach(key -> whole.put(key, fields(c, key)));
            return null;
        });
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static Map<String, String> fields(Jedis client, String key) {
        Map<String, String> fields = new HashMap<>();
        client.hgetAll(bytes(key))
                .forEach((f, v) -> fields.put(
                        new String(f, StandardCharsets.ISO_8859_1), new String(v, StandardCharsets.ISO_8859_1)));
        return fields;
    }

    private <T> T client(Function<Jedis, T> use) {
        try (Jedis client = redis.client()) {
            return use.apply(client);
        }
    }

    private void restore() {
        client(c -> {
            c.flushAll();
            whole.forEach((key, fields) -> fields.forEach((f, v) -> set(c, key, f, v)));
            return null;
        });
    }

    private static void set(Jedis client, String key, String field, String value) {
        client.hset(bytes(key), bytes(field), bytes(value));
    }

    /** Reads everything. Each answer is right, or an honest 503 if not all of them have to be there. */
    private static void read(TestNode node, boolean all) {
        check(node.anonymous().get("/config/k?environment=e"), "\"value\":\"v0\"", all);
        check(node.anonymous().get("/config/k?environment=e&service_name=s"), "\"value\":\"v19\"", all);
        check(node.anonymous().get("/config/service/s?environment=e"), "\"value\":\"v19\"", all);
        check(
                node.anonymous().post("/feature-flags/evaluate", "{\"flag_name\":\"f\",\"environment\":\"e\"}"),
                "\"enabled\":true",
                all);
    }

    private static void check(Reply reply, String expected, boolean must) {
        if (must || reply.status() != 503) {
            assertThat(reply.status()).as(reply.text()).isEqualTo(200);
            assertThat(reply.text()).contains(expected);
        }
    }

    private void damage(boolean hasPostgres, String name, Consumer<Jedis> damage) {
        restore();
        client(c -> {
            damage.accept(c);
            return null;
        });
        try (TestNode node = node()) {
            read(node, hasPostgres);
        } catch (AssertionError e) {
            throw new AssertionError("after " + name, e);
        }
    }

    private void loseEverySubset(boolean hasPostgres) {
        List<String> keys = new ArrayList<>(new TreeSet<>(whole.keySet()));
        String position =
                keys.stream().filter(k -> k.endsWith(":position")).findAny().orElseThrow();
        String units = keys.stream().filter(k -> k.endsWith(":units")).findAny().orElseThrow();
        List<List<String>> kinds = List.of(
                List.of(position),
                List.of(units),
                keys.stream().filter(k -> k.contains(":s:configuration/e/")).toList(),
                keys.stream().filter(k -> k.contains(":s:feature_flag")).toList());
        for (int subset = 1; subset < 1 << kinds.size(); subset++) {
            List<String> lost = new ArrayList<>();
            for (int i = 0; i < kinds.size(); i++) {
                if ((subset & 1 << i) != 0) {
                    lost.addAll(kinds.get(i));
                }
            }
            damage(hasPostgres, "the loss of " + lost, c -> c.del(lost.toArray(String[]::new)));
        }
    }

    @Test
    void nothingThatExistsIsMissingWithPostgres() {
        fill();
        loseEverySubset(true);
    }

    @Test
    void nothingThatExistsIsMissingWithoutPostgres() {
        fill();
        postgres.stop();
        try {
            loseEverySubset(false);
        } finally {
            postgres.start();
        }
    }

    @Test
    void aFieldThatIsLostOrCutOrChangedIsNeverRead() throws Exception {
        fill();
        Vertx vertx = Vertx.vertx();
        RedisServer server = new RedisServer(vertx, RedisSettings.at(redis.uri()), cluster());
        SnapshotSeal seal = new SnapshotSeal(
                new ClusterMac(cluster(), "snapshots", List.of(TestNode.ADMIN_KEY)), new SimpleMeterRegistry());
        SnapshotStore store = new SnapshotStore(server, seal);
        RedisPosition position = new RedisPosition(vertx, server, InstantSource.system(), seal);
        try {
            restore();
            Optional<PositionStore.Kept> kept = get(position.load());
            assertThat(kept).isPresent();
            UnitId unit = new UnitId("configuration", "e", "s");
            Position asOf = get(store.get(unit)).asOf();
            int tried = 0;
            for (Map.Entry<String, Map<String, String>> hash : whole.entrySet()) {
                String key = hash.getKey();
                for (Map.Entry<String, String> field : hash.getValue().entrySet()) {
                    String value = field.getValue();
                    for (String damaged : new TreeSet<>(List.of(
                            "", value.substring(0, value.length() / 2), value + "1", value.replaceAll("[0-9]", "9")))) {
                        if (damaged.equals(value)) {
                            continue;
                        }
                        restore();
                        client(c -> {
                            if (damaged.isEmpty()) {
                                c.hdel(bytes(key), bytes(field.getKey()));
                            } else {
                                set(c, key, field.getKey(), damaged);
                            }
                            return null;
                        });
                        tried++;
                        String what = key + " " + field.getKey() + " was " + value + " is " + damaged;
                        // n only tells a faster way whether something is missing
                        if (!key.contains(":s:") && !field.getKey().equals("n")) {
                            assertThat(get(position.load())).as(what).isEmpty();
                        }
                        Snapshot snapshot = get(store.get(unit));
                        if (key.endsWith(":s:" + unit.key())) {
                            assertThat(snapshot).as(what).isNull();
                            assertThat(get(store.get(unit))).isNull();
                        } else {
                            assertThat(snapshot.asOf()).isEqualTo(asOf);
                        }
                    }
                }
            }
            assertThat(tried).isGreaterThan(40);
        } finally {
            server.close();
            get(vertx.close());
        }
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Test
    void aRunningNodeRepairsWhatRedisHasOfThePosition() {
        fill();
        try (TestNode running = node()) {
            read(running, true);
            for (Consumer<Jedis> damage : List.<Consumer<Jedis>>of(
                    c -> c.del(c.keys("*:position").toArray(String[]::new)),
                    c -> c.hset(c.keys("*:units").iterator().next(), "configuration/e/s", "1"),
                    c -> c.hset(c.keys("*:position").iterator().next(), "e", "77"),
                    c -> c.keys("*:units").forEach(k -> {
                        c.del(k);
                        c.set(k, "a string");
                    }))) {
                client(c -> {
                    damage.accept(c);
                    return null;
                });
                await().atMost(Duration.ofSeconds(60))
                        .ignoreExceptions()
                        .until(() -> client(c -> {
                            Map<String, String> units =
                                    c.hgetAll(c.keys("*:units").iterator().next());
                            String position = c.keys("*:position").iterator().next();
                            return "1".equals(c.hget(position, "e"))
                                    && units.size() == 3
                                    && !"1".equals(units.get("configuration/e/s"));
                        }));
            }
        }
    }
}
