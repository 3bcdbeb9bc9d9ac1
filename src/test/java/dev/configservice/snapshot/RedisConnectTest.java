package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Certificates;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestRedis;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** Redis servers as people have them: TLS, users, databases, memory that is bounded. */
class RedisConnectTest {
    private static TestNode start(String uri, String... more) {
        Map<String, String> settings = new HashMap<>(Map.of("CS_REDIS_URI", uri));
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return TestNode.start(settings);
    }

    private static String health(TestNode node) {
        return node.anonymous().get("/health").text();
    }

    private static void isUsed(TestNode node, Jedis redis) {
        assertThat(node.admin()
                        .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                        .status())
                .isEqualTo(201);
        assertThat(node.anonymous().get("/config/k?environment=e").status()).isEqualTo(200);
        await().until(() -> redis.keys("cs:*:s:*").size() > 0);
        assertThat(health(node)).contains("\"part\":\"redis\",\"status\":\"UP\"");
    }

    private static void refused(String uri, String reason) {
        assertThatThrownBy(() -> start(uri).close())
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("redis.")
                .hasMessageContaining(reason)
                .message()
                .doesNotContain("hush");
    }

    @Test
    void aUserWithAPasswordOfAnyCharactersUsesADatabaseByItsNumber() {
        try (TestRedis server = TestRedis.with(List.of("user alice on \">p+a/s?s@%20#w:\" ~cs:* +@all -@dangerous"))) {
            for (String password : List.of("p+a/s?s@%2520#w:", "p%2Ba%2Fs%3Fs%40%2520%23w%3A")) {
                String uri = "redis://alice:" + password + "@127.0.0.1:" + server.port() + "/3";
                try (TestNode node = start(uri);
                        Jedis redis = server.client()) {
                    redis.select(3);
                    redis.flushDB();
                    isUsed(node, redis);
                    redis.select(0);
                    assertThat(redis.dbSize()).isZero();
                }
            }
            refused("redis://alice:hush-wrong@127.0.0.1:" + server.port(), "WRONGPASS");
            refused("redis://127.0.0.1:" + server.port() + "/99", "DB index");
        }
    }

    @Test
    void aUserWhoMayNotDoWhatIsNeededIsRefused() {
        try (TestRedis server = TestRedis.with(List.of(
                "user keyless on >hush-hush ~other:* +@all", "user scriptless on >hush-hush ~* +@all -@scripting"))) {
            refused("redis://keyless:hush-hush@127.0.0.1:" + server.port(), "NOPERM");
            refused("redis://scriptless:hush-hush@127.0.0.1:" + server.port(), "NOPERM");
        }
    }

    @Test
    void connectionsAreEncryptedAndTheServerIsVerified(@TempDir Path directory) {
        Certificates.make(directory, "server");
        Certificates.make(directory, "client");
        Certificates.make(directory, "other");
        int tls = Ports.free();
        try (TestRedis server = TestRedis.with(List.of(
                "tls-port " + tls,
                "tls-cert-file " + directory.resolve("server.pem"),
                "tls-key-file " + directory.resolve("server.key"),
                "tls-ca-cert-file " + directory.resolve("client.pem"),
                "tls-auth-clients yes"))) {
            String uri = "rediss://127.0.0.1:" + tls;
            String authority = directory.resolve("server.pem").toString();
            String[] certificate = {
                "CS_REDIS_TLS_CERTIFICATE", directory.resolve("client.pem").toString(),
                "CS_REDIS_TLS_KEY", directory.resolve("client.key").toString()
            };
            try (TestNode node = start(
                            uri,
                            "CS_REDIS_TLS_CA",
                            authority,
                            certificate[0],
                            certificate[1],
                            certificate[2],
                            certificate[3]);
                    Jedis redis = server.client()) {
                isUsed(node, redis);
            }
            // one that is not the right one is not used
            try (TestNode node = start(
                    uri,
                    "CS_REDIS_TLS_CA",
                    directory.resolve("other.pem").toString(),
                    certificate[0],
                    certificate[1],
                    certificate[2],
                    certificate[3])) {
                assertThat(health(node)).contains("\"part\":\"redis\",\"status\":\"DOWN\"");
            }
        }
    }

    @Test
    void memoryThatIsBoundedIsSaid() {
        try (TestRedis server = TestRedis.with(List.of("maxmemory 100mb", "maxmemory-policy allkeys-lru"));
                TestNode node = start(server.uri())) {
            assertThat(health(node))
                    .contains("\"part\":\"redis\",\"status\":\"UP\"")
                    .contains("allkeys-lru");
            try (Jedis redis = server.client()) {
                redis.configSet("maxmemory-policy", "noeviction");
                assertThat(health(node))
                        .contains("\"part\":\"redis\",\"status\":\"UP\"")
                        .doesNotContain("evict");
                redis.slaveof("127.0.0.1", Ports.free());
                assertThat(health(node))
                        .contains("\"part\":\"redis\",\"status\":\"DOWN\"")
                        .contains("replica");
            }
        }
    }

    @Test
    void whatIsNotSupportedIsRefused() {
        refused("redis+sentinel://127.0.0.1:26379/mymaster", "not supported");
        refused("redis://:hush@127.0.0.1:6379,127.0.0.1:6380", "not supported");
        refused("http://127.0.0.1", "must begin with");
        refused("redis://:hush@127.0.0.1:port", "host:port");
        try (TestRedis server = TestRedis.with(List.of("cluster-enabled yes"))) {
            refused(server.uri(), "cluster");
        }
    }
}
