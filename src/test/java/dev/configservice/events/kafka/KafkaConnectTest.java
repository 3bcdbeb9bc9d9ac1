package dev.configservice.events.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.configservice.embedded.TestKafka;
import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Certificates;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Brokers as people have them: TLS and SASL, topics that exist or are deleted. */
@Tag("servers")
class KafkaConnectTest {
    private static final String PASSWORD = "alices-own-password";
    private static final String MODULE = "org.apache.kafka.common.security.";

    @TempDir
    Path directory;

    private static TestNode start(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("CS_REDIS_URI", "");
        all.putIfAbsent("CS_KAFKA_TOPIC", "changes");
        return TestNode.start(all);
    }

    private Path file(String... lines) throws IOException {
        return Files.write(Files.createTempFile(directory, "client", ".properties"), List.of(lines));
    }

    private Path client(String mechanism, String password, Path authority) throws IOException {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return file(
                "security.protocol=SASL_SSL",
                "ssl.truststore.type=PEM",
                "ssl.truststore.location=" + authority,
                "sasl.mechanism=" + mechanism,
                "sasl.jaas.config=" + MODULE + module + " required username=\"alice\" password=\"" + password + "\";");
    }

    private static void write(TestNode node, String key) {
        assertThat(node.admin()
                        .post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\"}")
                        .status())
                .isEqualTo(201);
    }

    /** Reads the topic until it has the number of revisions. */
    private static void read(Map<String, Object> client, int revisions) {
        Map<String, Object> p = new HashMap<>(client);
        p.put("group.id", "readers");
        p.put("auto.offset.reset", "earliest");
        p.put("enable.auto.commit", "false");
        p.put("isolation.level", "read_committed");
        p.put("metadata.max.age.ms", "500");
        p.put("allow.auto.create.topics", "false");
        Set<String> seen = new HashSet<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("changes"));
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(r -> seen.add(r.value()));
                return seen.size() == revisions;
            });
        }
    }

    private static Map<String, Object> properties(Path file, String address) throws IOException {
        Map<String, Object> p = new HashMap<>(new KafkaProperties(address, file.toString()).with(Map.of()));
        p.put("bootstrap.servers", address);
        return p;
    }

    @Test
    void clientsAuthenticateByEachMechanismOverTls() throws IOException {
        Certificates.make(directory, "broker");
        Path both = directory.resolve("broker-both.pem");
        Files.writeString(
                both,
                Files.readString(directory.resolve("broker.key")) + Files.readString(directory.resolve("broker.pem")));
        try (TestKafka kafka = TestKafka.secured(both, PASSWORD)) {
            int revisions = 0;
            String database = null;
            for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
                Path client = client(mechanism, PASSWORD, directory.resolve("broker.pem"));
                Map<String, String> settings = new HashMap<>(Map.of(
                        "CS_KAFKA_BOOTSTRAP_SERVERS",
                        kafka.address(),
                        "CS_KAFKA_CLIENT_PROPERTIES",
                        client.toString()));
                if (database != null) {
                    settings.put("CS_POSTGRES_URI", database);
                }
                try (TestNode node = start(settings)) {
                    database = node.setting("CS_POSTGRES_URI");
                    write(node, "k-" + mechanism);
                    read(properties(client, kafka.address()), ++revisions);
                }
            }

            // a password that is wrong is seen, and one that is mended in the file is used without a restart
            Path client = client("SCRAM-SHA-256", "not-hers", directory.resolve("broker.pem"));
            try (TestNode node = start(Map.of(
                    "CS_KAFKA_BOOTSTRAP_SERVERS",
                    kafka.address(),
                    "CS_KAFKA_CLIENT_PROPERTIES",
                    client.toString(),
                    "CS_POSTGRES_URI",
                    database))) {
                write(node, "late");
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> node.anonymous()
                                .get("/health")
                                .text()
                                .contains("\"part\":\"kafka\",\"status\":\"DOWN\""));
                Path mended = client("SCRAM-SHA-256", PASSWORD, directory.resolve("broker.pem"));
                Files.writeString(client, Files.readString(mended));
                read(properties(mended, kafka.address()), ++revisions);
            }
        }
    }

    @Test
    void propertiesThatCannotWorkAreRefusedAtTheStart() throws IOException {
        Certificates.make(directory, "authority");
        refused(file("sasl.mechnism=PLAIN"), "sasl.mechnism, which Kafka's clients do not know");
        refused(file("acks=1"), "acks, which the service decides itself");
        refused(directory.resolve("missing"), "a readable file");
        refused(file("security.protocol=SASL_PLAIN"), "security.protocol");
        refused(file("security.protocol=SSL", "ssl.truststore.location=/nowhere.p12"), "/nowhere.p12");
        refused(
                file(
                        "security.protocol=SASL_SSL",
                        "sasl.mechanism=PLAIN",
                        "sasl.jaas.config=" + MODULE + "plain.PlainLoginModule requird password=\"hush-hush\";"),
                "Kafka's clients accept");
        assertThatThrownBy(() -> start(Map.of("CS_KAFKA_BOOTSTRAP_SERVERS", "broker-without-port")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("host:port");
    }

    private static void refused(Path file, String reason) {
        assertThatThrownBy(() -> start(Map.of(
                                "CS_KAFKA_BOOTSTRAP_SERVERS",
                                "127.0.0.1:9",
                                "CS_KAFKA_CLIENT_PROPERTIES",
                                file.toString()))
                        .close())
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("kafka.client-properties")
                .hasMessageContaining(reason)
                .message()
                .doesNotContain("hush-hush");
    }

    private static TopicDescription topic(Admin admin) throws InterruptedException, ExecutionException {
        return Objects.requireNonNull(
                admin.describeTopics(List.of("changes")).allTopicNames().get().get("changes"));
    }

    private static String maxMessageBytes(Admin admin) throws InterruptedException, ExecutionException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "changes");
        return Objects.requireNonNull(
                        admin.describeConfigs(List.of(resource)).all().get().get(resource))
                .get("max.message.bytes")
                .value();
    }

    @Test
    void aTopicThatExistsIsLeftAsItIsAndOneThatIsDeletedComesBackAsItWasSet() throws Exception {
        try (TestKafka kafka = new TestKafka();
                Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.address()))) {
            Map<String, String> settings =
                    Map.of("CS_KAFKA_BOOTSTRAP_SERVERS", kafka.address(), "CS_KAFKA_PARTITIONS", "5");
            Map<String, Object> reader = Map.of("bootstrap.servers", kafka.address());
            admin.createTopics(List.of(new NewTopic("changes", 2, (short) 1)))
                    .all()
                    .get();
            try (TestNode node = start(settings)) {
                write(node, "k1");
                read(reader, 1);
                assertThat(topic(admin).partitions()).hasSize(2);
            }

            admin.deleteTopics(List.of("changes")).all().get();
            try (TestNode node = start(settings)) {
                write(node, "k2");
                read(reader, 1);
                assertThat(topic(admin).partitions()).hasSize(5);

                // this broker makes topics by itself, with one partition, as soon as somebody writes
                admin.deleteTopics(List.of("changes")).all().get();
                write(node, "k3");
                write(node, "k4");
                await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(() -> {
                    assertThat(topic(admin).partitions()).hasSize(5);
                    assertThat(maxMessageBytes(admin)).isEqualTo(Integer.toString(Topic.MAX_MESSAGE_BYTES));
                });
                write(node, "k5");
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> node.anonymous()
                                .get("/health")
                                .text()
                                .contains("\"part\":\"kafka\",\"status\":\"UP\""));
            }
        }
    }
}
