package dev.configservice.facade.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

/** The events of Spring Cloud Bus, from a real broker. */
class RefreshMessagesTest {
    private final String topic = "bus-" + UUID.randomUUID();

    private static void configuration(Api admin, String service, String key) {
        admin.post(
                "/config",
                "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\""
                        + (service.isEmpty() ? "" : ",\"service_name\":\"" + service + "\"") + "}");
    }

    /** Reads the topic until it has an event for a destination. */
    private List<ConsumerRecord<String, String>> readUntil(String destination) {
        Properties p = new Properties();
        p.setProperty("bootstrap.servers", TestServers.get().kafkaBootstrapServers());
        p.setProperty("group.id", UUID.randomUUID().toString());
        p.setProperty("auto.offset.reset", "earliest");
        p.setProperty("isolation.level", "read_committed");
        p.setProperty("metadata.max.age.ms", "500");
        p.setProperty("key.deserializer", StringDeserializer.class.getName());
        p.setProperty("value.deserializer", StringDeserializer.class.getName());
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p)) {
            consumer.subscribe(List.of(topic));
            await().atMost(Duration.ofSeconds(40)).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                return destinations(records).contains(destination);
            });
        }
        return records;
    }

    private static List<String> destinations(List<ConsumerRecord<String, String>> records) {
        return records.stream()
                .map(r -> Json.read(r.value()).get("destinationService").asText())
                .toList();
    }

    @Test
    void changesOfConfigurationsThatComeTogetherAreOneEventForEachService() {
        String database = TestServers.newDatabase();
        try (TestNode before = TestNode.start(Map.of("CS_POSTGRES_URI", database, "CS_REDIS_URI", ""))) {
            configuration(before.admin(), "long-ago", "k");
        }
        try (TestNode node = TestNode.start(Map.of(
                "CS_POSTGRES_URI",
                database,
                "CS_REDIS_URI",
                "",
                "CS_KAFKA_BOOTSTRAP_SERVERS",
                TestServers.get().kafkaBootstrapServers(),
                "CS_KAFKA_TOPIC",
                "changes-" + topic,
                "CS_SPRING_BUS_TOPIC",
                topic))) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> node.sql("select position from cursors where name = 'kafka:" + topic + "'")
                            .equals(List.of(List.of(Long.toString(
                                    node.admin().get("/config/nothing").revision())))));
            for (int i = 0; i < 50; i++) {
                configuration(node.admin(), "orders", "k" + i);
            }
            node.admin().post("/feature-flags", "{\"name\":\"f\",\"environment\":\"e\"}");
            configuration(node.admin(), "billing", "k");
            List<ConsumerRecord<String, String>> records = readUntil("billing:**");
            assertThat(destinations(records)).contains("orders:**").containsOnly("orders:**", "billing:**");
            assertThat(records.size()).isLessThan(30);
            JsonNode event = Json.read(records.get(0).value());
            assertThat(event.get("type").asText()).isEqualTo("RefreshRemoteApplicationEvent");
            assertThat(event.get("originService").asText()).startsWith("config-service:0:");
            assertThat(event.get("timestamp").isIntegralNumber()).isTrue();
            assertThat(UUID.fromString(event.get("id").asText())).isNotNull();
            assertThat(records.get(0).key()).isNull();
            assertThat(new String(
                            records.get(0).headers().lastHeader("contentType").value(), StandardCharsets.UTF_8))
                    .isEqualTo("application/json");

            configuration(node.admin(), "", "shared");
            assertThat(destinations(readUntil("**"))).contains("**");
            assertThat(node.anonymous().get("/health").text()).contains("spring-bus");
        }
    }
}
