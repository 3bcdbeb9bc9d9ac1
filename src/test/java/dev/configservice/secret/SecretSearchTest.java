package dev.configservice.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.hazelcast.core.DistributedObject;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.internal.serialization.SerializationService;
import com.hazelcast.map.IMap;
import com.hazelcast.spi.impl.SerializationServiceSupport;
import dev.configservice.testing.Api;
import dev.configservice.testing.Keysets;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestRedis;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

/** A known secret, which must appear nowhere in plaintext and must be readable after its key was rotated. */
class SecretSearchTest {
    private static final String SECRET = "zq7-known-secret-of-the-search";

    @Test
    void aKnownSecretAppearsNowhereInPlaintext() throws IOException {
        String topic = "search-" + UUID.randomUUID();
        try (TestRedis redis = new TestRedis();
                TestNode node = TestNode.start(Map.of(
                        "CS_REDIS_URI",
                        redis.uri(),
                        "CS_KAFKA_BOOTSTRAP_SERVERS",
                        TestServers.get().kafkaBootstrapServers(),
                        "CS_KAFKA_TOPIC",
                        topic))) {
            use(node.admin());
            await().untilAsserted(() -> assertThat(redis.everything()).contains("configuration"));

            List<String> tables = node.sql("select tablename from pg_tables where schemaname = 'public'").stream()
                    .map(r -> r.get(0))
                    .toList();
            assertThat(tables).contains("resources", "changes", "idempotency", "secret_reads");
            for (String table : tables) {
                assertThat(node.sql("select t::text from " + table + " t").toString())
                        .as(table)
                        .doesNotContain(SECRET);
            }
            // the string of a row shows bytes as hex, so the column of bytes is searched separately
            assertThat(node.sql("select count(*) from changes where position('" + SECRET
                            + "'::bytea in coalesce(sealed, ''::bytea)) > 0"))
                    .isEqualTo(List.of(List.of("0")));
            assertThat(redis.everything()).doesNotContain(SECRET);
            assertThat(grid(node)).contains("configuration/e/").doesNotContain(SECRET);
            assertThat(topic(topic)).contains("configuration.created").doesNotContain(SECRET);
            assertThat(node.anonymous().get("/metrics").text()).doesNotContain(SECRET);
            assertThat(node.admin().get("/audit").text()).doesNotContain(SECRET);
            assertThat(node.admin().get("/changes").text()).doesNotContain(SECRET);
            assertThat(Files.readString(Path.of("target", "test.log"), StandardCharsets.UTF_8))
                    .doesNotContain(SECRET);
        }
    }

    private static void use(Api admin) {
        Reply created = admin.with("Idempotency-Key", "search")
                .post(
                        "/config",
                        "{\"key\":\"s\",\"value\":\"" + SECRET + "\",\"environment\":\"e\",\"is_encrypted\":true}");
        assertThat(created.field("value")).isEqualTo(SECRET);
        String path = "/config/" + created.field("id");
        admin.put(path, "{\"value\":{\"nested\":\"" + SECRET + "\"}}");
        admin.post(path + "/rollback", "{\"version\":1}");
        assertThat(admin.get("/config/s?environment=e").field("value")).isEqualTo(SECRET);
        // responses to rejected requests do not repeat the secret either
        assertThat(admin.put(path, "{\"value\":\"" + SECRET + "\",\"odd\":\"" + SECRET + "\"}")
                        .text())
                .doesNotContain(SECRET);
        assertThat(admin.post("/config", "{\"value\":\"" + SECRET + "\" oops}").text())
                .doesNotContain(SECRET);
    }

    /** Returns the keys and the serialized values of all maps in the grid of a node. */
    private static String grid(TestNode node) {
        HazelcastInstance member = Hazelcast.getAllHazelcastInstances().stream()
                .filter(h -> h.getConfig().getClusterName().equals(node.setting("CS_CLUSTER_NAME")))
                .findFirst()
                .orElseThrow();
        SerializationService serialization = ((SerializationServiceSupport) member).getSerializationService();
        StringBuilder all = new StringBuilder();
        for (DistributedObject map : member.getDistributedObjects()) {
            if (map instanceof IMap<?, ?> entries) {
                entries.forEach((key, value) -> all.append(key)
                        .append(new String(serialization.toData(value).toByteArray(), StandardCharsets.ISO_8859_1)));
            }
        }
        return all.toString();
    }

    private static String topic(String topic) {
        Properties p = new Properties();
        p.setProperty("bootstrap.servers", TestServers.get().kafkaBootstrapServers());
        p.setProperty("group.id", UUID.randomUUID().toString());
        p.setProperty("auto.offset.reset", "earliest");
        p.setProperty("isolation.level", "read_committed");
        p.setProperty("metadata.max.age.ms", "500");
        p.setProperty("key.deserializer", StringDeserializer.class.getName());
        p.setProperty("value.deserializer", StringDeserializer.class.getName());
        StringBuilder all = new StringBuilder();
        int records = 0;
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p)) {
            consumer.subscribe(List.of(topic));
            while (records < 3 && System.nanoTime() < end) {
                for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
                    records++;
                    all.append(r.value());
                    r.headers().forEach(h -> all.append(new String(h.value(), StandardCharsets.UTF_8)));
                }
            }
        }
        return all.toString();
    }

    @Test
    void afterARotationOldSecretsAreResealedAndTheChainStaysValid() {
        String database;
        String revision;
        Map<String, String> settings = new HashMap<>();
        try (TestNode node = TestNode.start(Map.of())) {
            database = node.setting("CS_POSTGRES_URI");
            use(node.admin());
            revision = node.sql("select revision from head").get(0).get(0);
        }
        String rotated = Keysets.rotated();
        Keyring keyring = Keyring.of(rotated);
        settings.put("CS_POSTGRES_URI", database);
        settings.put("CS_SECRETS_KEYSET", rotated);
        try (TestNode node = TestNode.start(settings)) {
            // the keyset still opens what the old key sealed
            assertThat(node.admin().get("/config/s?environment=e").field("value"))
                    .isEqualTo(SECRET);

            assertThat(reseal(database, keyring)).isEqualTo(4);

            assertThat(reseal(database, keyring)).isZero();
            assertThat(node.sql("select revision from head").get(0).get(0)).isEqualTo(revision);
            assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                    .isTrue();
        }
        settings.put("CS_CLUSTER_NAME", "after-" + UUID.randomUUID());
        try (TestNode node = TestNode.start(settings)) {
            assertThat(node.admin().get("/config/s?environment=e").field("value"))
                    .isEqualTo(SECRET);
        }
    }

    private static long reseal(String database, Keyring keyring) {
        io.vertx.core.Vertx vertx = io.vertx.core.Vertx.vertx();
        try {
            return new dev.configservice.log.Resealing(
                            new dev.configservice.postgres.Postgres(vertx, database, 2),
                            io.vertx.core.buffer.Buffer.buffer(keyring.newestPrefix()),
                            keyring::sealAgain)
                    .run()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
