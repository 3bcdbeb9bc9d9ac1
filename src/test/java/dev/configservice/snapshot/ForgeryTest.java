package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.hazelcast.client.HazelcastClient;
import com.hazelcast.client.config.ClientConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import com.hazelcast.nio.serialization.genericrecord.GenericRecord;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestRedis;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Attacks by someone who can write to the grid or to Redis, but does not have the secret of the cluster. */
class ForgeryTest {
    private final TestPostgres postgres = new TestPostgres();
    private final TestRedis redis = new TestRedis();
    private final String cluster = "forged-" + postgres.port();

    @AfterEach
    void stop() {
        redis.close();
        postgres.close();
    }

    private TestNode node() {
        return TestNode.start(
                Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri(), "CS_CLUSTER_NAME", cluster));
    }

    /** Creates a key with few rights, a configuration and a flag, and reads each once. Returns the key. */
    private static String prepare(TestNode node) {
        Reply key = node.admin().post("/access/keys", "{\"name\":\"small\",\"rights\":[\"read\"]}");
        assertThat(key.status()).as(key.text()).isEqualTo(201);
        Reply value = node.admin().post("/config", "{\"key\":\"k\",\"value\":\"genuine\",\"environment\":\"e\"}");
        assertThat(value.status()).isEqualTo(201);
        Reply flag = node.admin().post("/feature-flags", "{\"name\":\"f\",\"environment\":\"e\",\"is_enabled\":false}");
        assertThat(flag.status()).isEqualTo(201);
        assertGenuine(node, key.field("key"));
        return key.field("key");
    }

    private static void assertGenuine(TestNode node, String key) {
        Api small = node.anonymous().key(key);
        Reply keys = small.get("/access/keys");
        assertThat(keys.status()).as(keys.text()).isEqualTo(403);
        Reply read = small.get("/config/k?environment=e");
        assertThat(read.status()).as(read.text()).isEqualTo(200);
        assertThat(read.field("value")).isEqualTo("genuine");
        Reply evaluation =
                node.anonymous().post("/feature-flags/evaluate", "{\"flag_name\":\"f\",\"environment\":\"e\"}");
        assertThat(evaluation.text()).contains("\"reason\":\"DISABLED\"");
    }

    private static String forged(String payload) {
        return payload.replace("genuine", "forged!")
                .replace("\\\"is_enabled\\\": false", "\\\"is_enabled\\\": true")
                .replace("\\\"is_enabled\\\":false", "\\\"is_enabled\\\":true")
                .replace("\\\"read\\\"", "\\\"admin\\\"");
    }

    private static double refused(TestNode node, String tier) {
        return node.anonymous()
                .get("/metrics")
                .text()
                .lines()
                .filter(l -> l.startsWith("config_service_snapshots_refused_total") && l.contains(tier))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void whatAPlainClientWritesToTheGridIsNeverServed() {
        try (TestNode node = node()) {
            String key = prepare(node);
            await().until(() -> redis.everything().contains("genuine"));
            ClientConfig config = new ClientConfig();
            config.setClusterName(cluster);
            config.getNetworkConfig().addAddress("127.0.0.1:" + node.setting("CS_CLUSTER_PORT"));
            HazelcastInstance client = HazelcastClient.newHazelcastClient(config);
            try {
                IMap<String, Object> map = client.getMap(NearCache.MAP);
                await().until(() -> map.keySet().size() >= 3);
                for (long ahead : List.of(0L, 1L, 1_000_000L)) {
                    for (String name : map.keySet()) {
                        if (!(map.get(name) instanceof GenericRecord genuine)) {
                            continue;
                        }
                        String payload = new String(genuine.getArrayOfInt8("payload"), StandardCharsets.UTF_8);
                        map.put(
                                name,
                                genuine.newBuilderWithClone()
                                        .setInt64("revision", genuine.getInt64("revision") + ahead)
                                        .setArrayOfInt8(
                                                "payload", forged(payload).getBytes(StandardCharsets.UTF_8))
                                        .build());
                    }
                    assertGenuine(node, key);
                }
                try (TestNode second = node.join()) {
                    assertGenuine(second, key);
                    assertThat(refused(second, "grid") + refused(node, "grid")).isPositive();
                }
                for (String name : map.keySet()) {
                    map.put(name, "not even a snapshot");
                }
                try (TestNode third = node.join()) {
                    assertGenuine(third, key);
                }
                // the forgeries do not keep out the newer data
                String id = node.anonymous().get("/config/k?environment=e").field("id");
                assertThat(node.admin()
                                .put("/config/" + id, "{\"value\":\"newer\"}")
                                .status())
                        .isEqualTo(200);
                await().atMost(Duration.ofSeconds(10))
                        .until(() ->
                                map.values().stream().anyMatch(v -> v.toString().contains("snapshot")));
                assertThat(node.anonymous().get("/config/k?environment=e").field("value"))
                        .isEqualTo("newer");
            } finally {
                client.shutdown();
            }
        }
    }

    @Test
    void whatAClientWritesToRedisIsNeverServed() {
        String key;
        try (TestNode first = node()) {
            key = prepare(first);
            await().until(() -> {
                String all = redis.everything();
                return all.contains("genuine") && all.contains("is_enabled") && all.contains("rights");
            });
        }
        try (Jedis client = redis.client()) {
            for (String name : client.keys("*:s:*")) {
                byte[] p = name.getBytes(StandardCharsets.UTF_8);
                String payload =
                        new String(client.hget(p, "p".getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
                client.hset(name, "p", forged(payload));
                client.hset(name, "r", "1000000");
            }
        }
        try (TestNode second = node()) {
            assertGenuine(second, key);
            assertThat(refused(second, "redis")).isPositive();
            // Redis has the genuine data again
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> redis.everything().contains("genuine")
                            && !redis.everything().contains("1000000"));
        }
        // an older position, which a revoked key would like
        try (Jedis client = redis.client()) {
            for (String name : client.keys("*:units")) {
                client.hgetAll(name).keySet().forEach(unit -> client.hset(name, unit, "1"));
            }
        }
        postgres.stop();
        try (TestNode third = node()) {
            assertThat(third.anonymous().get("/config/k?environment=e").status())
                    .isEqualTo(503);
            postgres.start();
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertGenuine(third, key));
        }
    }
}
