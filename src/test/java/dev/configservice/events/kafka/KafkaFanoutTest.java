package dev.configservice.events.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

class KafkaFanoutTest {
    private final String topic = "config-updates-" + UUID.randomUUID();

    private TestNode node() {
        return TestNode.start(Map.of(
                "CS_KAFKA_BOOTSTRAP_SERVERS", TestServers.get().kafkaBootstrapServers(), "CS_KAFKA_TOPIC", topic));
    }

    /** Reads the topic with Kafka's own consumer until it has the given number of revisions. */
    private List<ConsumerRecord<String, String>> read(int revisions) {
        Properties p = new Properties();
        p.setProperty("bootstrap.servers", TestServers.get().kafkaBootstrapServers());
        p.setProperty("group.id", UUID.randomUUID().toString());
        p.setProperty("auto.offset.reset", "earliest");
        p.setProperty("isolation.level", "read_committed");
        p.setProperty("metadata.max.age.ms", "500");
        p.setProperty("key.deserializer", StringDeserializer.class.getName());
        p.setProperty("value.deserializer", StringDeserializer.class.getName());
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Set<Long> seen = new HashSet<>();
        long end = System.nanoTime() + Duration.ofSeconds(40).toNanos();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p)) {
            consumer.subscribe(List.of(topic));
            while (seen.size() < revisions && System.nanoTime() < end) {
                for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
                    records.add(r);
                    seen.add(Long.parseLong(header(r, "ce_revision")));
                }
            }
        }
        assertThat(seen).hasSize(revisions);
        return records;
    }

    private static String header(ConsumerRecord<String, String> r, String name) {
        return new String(r.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    private static Reply create(TestNode node, String key) {
        return node.admin().post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\"}");
    }

    @Test
    void everyPublicChangeIsInTheTopicInTheDocumentedFormat() {
        try (TestNode node = node()) {
            Reply created = node.admin()
                    .post(
                            "/config",
                            "{\"key\":\"database.url\",\"value\":\"v\",\"environment\":\"production\","
                                    + "\"service_name\":\"user-service\"}");
            node.admin()
                    .post(
                            "/config",
                            "{\"key\":\"s\",\"value\":\"kafka-secret\",\"environment\":\"production\","
                                    + "\"is_encrypted\":true}");
            node.admin().post("/access/keys", "{\"name\":\"n\",\"rights\":[\"read\"]}");
            node.admin().post("/feature-flags", "{\"name\":\"f\"}");
            Reply set = node.admin()
                    .post(
                            "/change-sets",
                            "{\"operations\":[{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"e\","
                                    + "\"key\":\"a\",\"value\":1},{\"op\":\"put\",\"resource_type\":\"feature_flag\","
                                    + "\"environment\":\"e\",\"name\":\"b\"}]}");

            List<ConsumerRecord<String, String>> records = read(5);
            for (int i = 0; i < 2; i++) {
                String id = set.json().at("/results/" + i + "/id").asText();
                ConsumerRecord<String, String> member = records.stream()
                        .filter(r -> r.key().equals(id))
                        .findFirst()
                        .orElseThrow();
                assertThat(header(member, "ce_changeset")).isEqualTo(set.field("id") + ":" + i + ":2");
                assertThat(Json.read(member.value()).at("/change_set/index").asInt())
                        .isEqualTo(i);
            }
            ConsumerRecord<String, String> first = records.stream()
                    .filter(r -> r.key().equals(created.field("id")))
                    .findFirst()
                    .orElseThrow();
            JsonNode event = Json.read(first.value());
            assertThat(event.get("resource_type").asText()).isEqualTo("configuration");
            assertThat(event.get("data").get("service_name").asText()).isEqualTo("user-service");
            assertThat(event.get("data").get("key").asText()).isEqualTo("database.url");
            assertThat(event.get("actor").isNull()).isTrue();
            assertThat(header(first, "ce_id")).isEqualTo(event.get("event_id").asText());
            assertThat(header(first, "ce_type")).isEqualTo("configuration.created");
            assertThat(header(first, "ce_source")).isEqualTo("/config-service");
            assertThat(header(first, "ce_specversion")).isEqualTo("1.0");
            assertThat(header(first, "ce_chain")).matches("[0-9a-f]{64}");
            assertThat(header(first, "ce_subject")).isEqualTo(created.field("id"));
            assertThat(header(first, "content-type")).isEqualTo("application/json");
            assertThat(records.toString()).doesNotContain("kafka-secret");
            assertThat(records.stream().map(r -> header(r, "ce_type")))
                    .containsExactlyInAnyOrder(
                            "configuration.created",
                            "configuration.created",
                            "configuration.created",
                            "feature_flag.created",
                            "feature_flag.created");
        }
    }

    @Test
    void anotherNodeContinuesInOrderWhenTheSenderStops() {
        int changes = 120;
        try (TestNode second = sendAcrossTwoNodes(changes)) {
            Map<String, Long> lastOfResource = new HashMap<>();
            Set<Long> seen = new HashSet<>();
            for (ConsumerRecord<String, String> r : read(changes)) {
                long revision = Long.parseLong(header(r, "ce_revision"));
                if (seen.add(revision)) {
                    assertThat(revision).isGreaterThan(lastOfResource.getOrDefault(r.key(), 0L));
                    lastOfResource.put(r.key(), revision);
                }
            }
            assertThat(second.anonymous().get("/health").text()).contains("\"part\":\"kafka\",\"status\":\"UP\"");
        }
    }

    private TestNode sendAcrossTwoNodes(int changes) {
        TestNode first = node();
        TestNode second = first.join();
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            ids.add(second.admin()
                    .post("/config", "{\"key\":\"k" + i + "\",\"value\":0,\"environment\":\"e\"}")
                    .field("id"));
        }
        for (int i = 10; i < changes; i++) {
            if (i == changes / 2) {
                first.close();
            }
            assertThat(second.admin()
                            .put("/config/" + ids.get(i % 10), "{\"value\":" + i + "}")
                            .status())
                    .isEqualTo(200);
        }
        return second;
    }

    /** The database is restored to revision 3 and gets two other changes before the node has seen it. */
    @Test
    void afterARestoreNoRevisionIsSkipped() {
        try (TestNode node = node()) {
            for (int i = 1; i <= 9; i++) {
                assertThat(create(node, "k" + i).status()).isEqualTo(201);
            }
            read(9);
            node.sql("do $$ declare h bytea; begin"
                    + " perform 1 from head for update;"
                    + " delete from resources where revision > 3; delete from changes where revision > 3;"
                    + " update units set revision = 3; update cursors set position = 3;"
                    + " select hash into h from changes where revision = 3;"
                    + " for i in 4..5 loop"
                    + "   h := sha256(h || int8send(i) || decode('00', 'hex'));"
                    + "   insert into changes (revision, epoch, event_id, kind, action, resource_id, environment,"
                    + "     service_name, name, version, occurred_at, row, digest, hash)"
                    + "   select i, 1, gen_random_uuid(), kind, action, 'other-' || i, environment, service_name,"
                    + "     'other-' || i, 1, now(), row, decode('00', 'hex'), h from changes where revision = 3;"
                    + " end loop;"
                    + " update head set revision = 5, hash = h; end $$");
            Reply after = create(node, "after");
            assertThat(after.status()).isEqualTo(201);
            List<String> names = read(10).stream()
                    .map(r -> Json.readObject(r.value()).at("/data/key").asText())
                    .toList();
            assertThat(names).contains("other-4", "other-5", "after");
        }
    }

    /** A node with wrong settings for Kafka must not keep the others from sending. */
    @Test
    void aNodeThatCannotSendLetsAnotherOneSend() {
        String wrong = "127.0.0.1:" + Ports.free();
        try (TestNode broken = TestNode.start(Map.of("CS_KAFKA_BOOTSTRAP_SERVERS", wrong, "CS_KAFKA_TOPIC", topic));
                TestNode good = TestNode.start(Map.of(
                        "CS_KAFKA_BOOTSTRAP_SERVERS",
                        TestServers.get().kafkaBootstrapServers(),
                        "CS_KAFKA_TOPIC",
                        topic,
                        "CS_POSTGRES_URI",
                        broken.setting("CS_POSTGRES_URI")))) {
            assertThat(create(good, "k").status()).isEqualTo(201);
            read(1);
        }
    }
}
