package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestServers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An application of Spring Boot with the clients of Spring Cloud Config and Spring Cloud Bus, in a process of its own. */
@Tag("clients")
class SpringClientTest {
    private static final String BUS = "--spring.cloud.bus.enabled=true";

    private final TestNode node = TestNode.shared();
    private final String id = UUID.randomUUID().toString().substring(0, 8);
    private final String app = "shop-" + id;
    private final String base = "base-" + id;
    private final String one = "one-" + id;
    private final String two = "two-" + id;

    private static Reply put(Api api, String environment, String service, String key, String value, boolean encrypted) {
        Reply made = api.post(
                "/config",
                Json.write(Json.object()
                        .put("environment", environment)
                        .put("service_name", service.isEmpty() ? null : service)
                        .put("key", key)
                        .put("is_encrypted", encrypted)
                        .set("value", Json.read(value))));
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        return made;
    }

    private Reply put(String environment, String service, String key, String value) {
        return put(node.admin(), environment, service, key, value, false);
    }

    private ClientProgram start(String location, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.config.import=" + location,
                "--spring.application.name=" + app,
                "--spring.cloud.config.request-read-timeout=10000",
                "--spring.main.banner-mode=off"));
        arguments.addAll(List.of(more));
        if (!arguments.contains(BUS)) {
            arguments.add(BUS.replace("true", "false"));
        }
        return ClientProgram.java("spring", List.of("-XX:TieredStopAtLevel=1"), arguments.toArray(String[]::new));
    }

    private String location(TestNode at) {
        return "configserver:http://127.0.0.1:" + at.port() + "/env/" + base + "/spring";
    }

    private static String value(ClientProgram program, String key) {
        return program.ask("get " + key).get("value").asText();
    }

    @Test
    void sourcesCountInSpringsOrderAndValuesAreBound() {
        List<List<String>> sources = List.of(
                List.of(two, app),
                List.of(two, ""),
                List.of(one, app),
                List.of(one, ""),
                List.of(base, app),
                List.of(base, ""));
        for (int key = 0; key < sources.size(); key++) {
            for (int source = key; source < sources.size(); source++) {
                put(sources.get(source).get(0), sources.get(source).get(1), "from" + key, "\"source " + source + "\"");
            }
        }
        put(base, app, "shop.currencies", "[\"EUR\",\"USD\",\"JPY\"]");
        put(one, app, "shop.currencies", "[\"CHF\"]");
        put(base, app, "shop.limits", "{\"a\":1,\"b\":2}");
        put(base, "", "address", "\"https://${host}/x\"");
        put(two, "", "host", "\"two.example\"");
        put(base, "", "n", "5.0");
        try (ClientProgram program = start(
                        location(node),
                        "--spring.profiles.active=" + one + "," + two,
                        "--spring.cloud.config.label=none,main")
                .awaitReady()) {
            for (int key = 0; key < sources.size(); key++) {
                assertThat(value(program, "from" + key)).isEqualTo("source " + key);
            }
            assertThat(program.ask("currencies").get("value").toString()).isEqualTo("[\"CHF\"]");
            assertThat(program.ask("limits").get("value").toString()).isEqualTo("{\"a\":1,\"b\":2}");
            assertThat(value(program, "address")).isEqualTo("https://two.example/x");
            assertThat(value(program, "n")).isEqualTo("5.0");
            assertThat(value(program, "missing")).isEqualTo("null");
        }
        try (ClientProgram program = start(location(node)).awaitReady()) {
            assertThat(value(program, "from0")).isEqualTo("source 4");
            assertThat(program.ask("currencies").get("value").size()).isEqualTo(3);
        }
    }

    @Test
    void aRefreshReportsWhatHasChangedAndNothingElse() {
        Reply greeting = put(one, app, "greeting", "\"hello\"");
        try (ClientProgram program =
                start(location(node), "--spring.profiles.active=" + one).awaitReady()) {
            assertThat(program.ask("greeting").get("value").asText()).isEqualTo("hello");
            put(one, "another", "k", "1");
            put("elsewhere-" + id, app, "k", "1");
            assertThat(refresh(program)).isEmpty();
            node.admin().put("/config/" + greeting.field("id"), "{\"value\":\"good day\"}");
            assertThat(refresh(program)).containsExactly("greeting");
            assertThat(program.ask("greeting").get("value").asText()).isEqualTo("good day");
            node.admin().delete("/config/" + greeting.field("id"));
            refresh(program);
            assertThat(program.ask("greeting").get("value").asText()).isEqualTo("none");
        }
    }

    private static List<String> refresh(ClientProgram program) {
        program.tell("refresh");
        List<String> keys = new ArrayList<>();
        program.await(line -> line.has("refreshed"), Duration.ofSeconds(60))
                .get("refreshed")
                .forEach(key -> keys.add(key.asText()));
        return keys;
    }

    @Test
    void theBusMakesAnApplicationRefreshByItself() {
        String topic = "bus-" + id;
        try (TestNode sender = TestNode.start(Map.of(
                "CS_KAFKA_BOOTSTRAP_SERVERS",
                TestServers.get().kafkaBootstrapServers(),
                "CS_KAFKA_TOPIC",
                "changes-" + id,
                "CS_SPRING_BUS_TOPIC",
                topic))) {
            Reply greeting = put(sender.admin(), base, app, "greeting", "\"hello\"", false);
            Reply shared = put(sender.admin(), base, "", "of-all", "\"hello\"", false);
            try (ClientProgram program = start(
                            location(sender),
                            BUS,
                            "--spring.cloud.bus.destination=" + topic,
                            "--spring.cloud.stream.kafka.binder.brokers="
                                    + TestServers.get().kafkaBootstrapServers())
                    .awaitReady()) {
                // what was sent before a consumer has its partition does not reach it
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> program.output().contains("partitions assigned"));
                sender.admin().put("/config/" + greeting.field("id"), "{\"value\":\"good day\"}");
                awaitChange(program, "greeting");
                assertThat(program.ask("greeting").get("value").asText()).isEqualTo("good day");
                sender.admin().put("/config/" + shared.field("id"), "{\"value\":\"good day\"}");
                awaitChange(program, "of-all");
                assertThat(value(program, "of-all")).isEqualTo("good day");
            }
        }
    }

    private static void awaitChange(ClientProgram program, String key) {
        program.await(line -> line.path("changed").toString().contains("\"" + key + "\""), Duration.ofSeconds(60));
    }

    @Test
    void aServerThatIsAwayEndsTheStartUnlessItIsOptional() {
        String nowhere = "configserver:http://127.0.0.1:" + Ports.free() + "/spring";
        try (ClientProgram program = start(nowhere)) {
            assertThat(program.end()).isNotZero();
            assertThat(program.output()).contains("ConfigClientFailFastException");
        }
        try (ClientProgram program = start("optional:" + nowhere).awaitReady()) {
            assertThat(value(program, "greeting")).isEqualTo("null");
        }
    }

    @Test
    void encryptedValuesAreOpenedForAKeyInBasicOrInTheToken() {
        try (TestNode closed = TestNode.start(Map.of("CS_ACCESS_ANONYMOUS_READS", "false"))) {
            put(closed.admin(), base, app, "password", "\"hidden\"", true);
            put(closed.admin(), base, app, "greeting", "\"hello\"", false);
            String reader = key(closed, "\"read\"");
            String opener = key(closed, "\"read\",\"secrets:read\"");
            String uri = location(closed);
            try (ClientProgram program =
                    start(uri.replace("http://", "http://shop:" + opener + "@")).awaitReady()) {
                assertThat(value(program, "password")).isEqualTo("hidden");
            }
            try (ClientProgram program =
                    start(uri, "--spring.cloud.config.token=" + opener).awaitReady()) {
                assertThat(value(program, "password")).isEqualTo("hidden");
            }
            try (ClientProgram program = start(
                            uri, "--spring.cloud.config.username=any", "--spring.cloud.config.password=" + reader)
                    .awaitReady()) {
                assertThat(value(program, "password")).as("left out").isEqualTo("null");
                assertThat(value(program, "greeting")).isEqualTo("hello");
            }
            try (ClientProgram program = start(uri)) {
                assertThat(program.end()).as("without a key").isNotZero();
            }
        }
    }

    private static String key(TestNode closed, String rights) {
        Reply made = closed.admin()
                .post("/access/keys", "{\"name\":\"k" + UUID.randomUUID() + "\",\"rights\":[" + rights + "]}");
        return made.field("key");
    }

    @Test
    @SuppressWarnings("try") // the core is stopped in the middle
    void withoutPostgresAndOnAnEdgeThatIsCutOffAnApplicationStillStarts() {
        try (TestPostgres postgres = new TestPostgres();
                TestNode core = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri()))) {
            Reply greeting = put(core.admin(), base, app, "greeting", "\"hello\"", false);
            try (TestNode edge = core.edge(Map.of());
                    ClientProgram early = start(location(edge)).awaitReady()) {
                assertThat(early.ask("greeting").get("value").asText()).isEqualTo("hello");
                assertThat(core.anonymous()
                                .get("/env/" + base + "/spring/" + app + "/default")
                                .status())
                        .isEqualTo(200);
                postgres.kill();
                try (ClientProgram program = start(location(core)).awaitReady()) {
                    assertThat(program.ask("greeting").get("value").asText()).isEqualTo("hello");
                }
                postgres.start();
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> core.admin()
                                        .put("/config/" + greeting.field("id"), "{\"value\":\"good day\"}")
                                        .status()
                                == 200);
                assertThat(refreshUntilChanged(early)).contains("greeting");
                core.close();
                try (ClientProgram program = start(location(edge)).awaitReady()) {
                    assertThat(program.ask("greeting").get("value").asText()).isEqualTo("good day");
                }
            }
        }
    }

    private static List<String> refreshUntilChanged(ClientProgram program) {
        List<String> changed = new ArrayList<>();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            changed.addAll(refresh(program));
            return !changed.isEmpty();
        });
        return changed;
    }

    @Test
    void everyEnvironmentOfAProfileThatIsNoneIsLeftOut() {
        put(base, "", "greeting", "\"hello\"");
        try (ClientProgram program = start(location(node), "--spring.profiles.active=kubernetes,postgres")
                .awaitReady()) {
            JsonNode answer = program.ask("greeting");
            assertThat(answer.get("value").asText()).isEqualTo("hello");
        }
    }
}
