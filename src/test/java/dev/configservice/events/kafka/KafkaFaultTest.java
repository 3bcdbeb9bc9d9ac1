package dev.configservice.events.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.embedded.TestKafka;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Writers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** 10,000 changes, read by Kafka's own console consumer, while sending nodes hang or die and Kafka restarts. */
@Tag("servers")
@Tag("long")
class KafkaFaultTest {
    private static final String TOPIC = "faults";
    private static final int CHANGES = 10_000;
    private static final Pattern REVISION_AND_KEY = Pattern.compile(
            "ce_revision:(\\d+).*?([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\\s*$");

    private final Path output = TestServers.directory("console").resolve("output");

    private Process consumer(TestKafka kafka) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "org.apache.kafka.tools.consumer.ConsoleConsumer",
                        "--bootstrap-server",
                        kafka.address(),
                        "--topic",
                        TOPIC,
                        "--from-beginning",
                        "--isolation-level",
                        "read_committed",
                        "--formatter-property",
                        "print.headers=true",
                        "--formatter-property",
                        "print.key=true",
                        "--formatter-property",
                        "print.value=false",
                        "--formatter-property",
                        "headers.separator=;")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    private List<String> lines() {
        try {
            return Files.readAllLines(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long claims(TestNode node) {
        List<List<String>> rows = node.sql("select epoch from cursors where name = 'kafka:" + TOPIC + "'");
        return rows.isEmpty() ? 0 : Long.parseLong(rows.get(0).get(0));
    }

    private static void awaitClaim(TestNode node, long above) {
        await().atMost(Duration.ofSeconds(60)).until(() -> claims(node) > above);
    }

    @Test
    void everyChangeArrivesInOrderWhileSendersFailAndKafkaRestarts() throws Exception {
        try (TestKafka kafka = new TestKafka();
                TestNode node = TestNode.start(Map.of());
                Writers writers = new Writers(node.admin(), 100)) {
            Map<String, String> sends = Map.of("CS_KAFKA_BOOTSTRAP_SERVERS", kafka.address(), "CS_KAFKA_TOPIC", TOPIC);
            try (NodeProcess first = NodeProcess.join(node, sends)) {
                awaitClaim(node, 0);
                try (NodeProcess second = NodeProcess.join(node, sends)) {
                    Process consumer = consumer(kafka);
                    try {
                        writers.write(CHANGES / 4);

                        long claims = claims(node);
                        first.hang();
                        writers.write(CHANGES / 4);
                        awaitClaim(node, claims);
                        first.goOn();

                        claims = claims(node);
                        second.kill();
                        writers.write(CHANGES / 4);
                        awaitClaim(node, claims);

                        kafka.stop();
                        writers.write(CHANGES / 4 - 100);
                        kafka.start();

                        Set<Long> acknowledged = new TreeSet<>(writers.revisions());
                        assertThat(acknowledged).hasSize(CHANGES);
                        await().atMost(Duration.ofSeconds(90))
                                .pollInterval(Duration.ofMillis(500))
                                .untilAsserted(() -> assertThat(seen()).isEqualTo(acknowledged));
                    } finally {
                        consumer.destroyForcibly().waitFor();
                    }
                }
            }
        }
    }

    /**
     * Returns the revisions that the consumer printed, and checks that those of each resource are in order. Repetitions
     * do not count.
     */
    private Set<Long> seen() {
        Set<Long> seen = new TreeSet<>();
        Map<String, Long> lastOf = new HashMap<>();
        int records = 0;
        for (String line : lines()) {
            int at = line.indexOf("ce_revision:");
            if (at < 0) {
                continue;
            }
            records++;
            Matcher m = REVISION_AND_KEY.matcher(line);
            assertThat(m.find()).as(line).isTrue();
            long revision = Long.parseLong(m.group(1));
            if (seen.add(revision)) {
                assertThat(revision).as(line).isGreaterThan(lastOf.getOrDefault(m.group(2), 0L));
                lastOf.put(m.group(2), revision);
            }
        }
        assertThat(records).isGreaterThanOrEqualTo(seen.size());
        return seen;
    }
}
