package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients of Eureka that register and find services, each in a process of its own. */
@Tag("clients")
class EurekaClientsTest {
    private static final AtomicInteger PORT = new AtomicInteger(20_000);
    private static final Duration SOON = Duration.ofSeconds(30);

    private final String name =
            "orders-" + UUID.randomUUID().toString().substring(0, 8).toLowerCase(Locale.ROOT);

    /** The programs with a client. */
    enum Program {
        SPRING,
        NETFLIX,
        NODE;

        ClientProgram start(int port, String name, int own) {
            String address = "http://eureka:" + TestNode.ADMIN_KEY + "@127.0.0.1:" + port + "/eureka/";
            ClientProgram program =
                    switch (this) {
                        case SPRING ->
                            ClientProgram.java(
                                    "eureka-spring",
                                    List.of("-XX:TieredStopAtLevel=1"),
                                    "--spring.application.name=" + name,
                                    "--eureka.client.service-url.defaultZone=" + address,
                                    "--eureka.client.registry-fetch-interval-seconds=1",
                                    "--eureka.client.initial-instance-info-replication-interval-seconds=0",
                                    "--eureka.client.instance-info-replication-interval-seconds=1",
                                    "--eureka.instance.instance-id=" + name + ":" + own,
                                    "--eureka.instance.hostname=127.0.0.1",
                                    "--server.port=" + own,
                                    "--eureka.instance.lease-renewal-interval-in-seconds=1",
                                    "--eureka.instance.lease-expiration-duration-in-seconds=5",
                                    "--spring.cloud.loadbalancer.cache.enabled=false",
                                    "--spring.main.banner-mode=off");
                        case NETFLIX ->
                            ClientProgram.java(
                                    "eureka-netflix",
                                    List.of(
                                            "-XX:TieredStopAtLevel=1",
                                            "--add-opens=java.base/java.util=ALL-UNNAMED",
                                            "--add-opens=java.base/java.lang=ALL-UNNAMED",
                                            "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED"),
                                    address,
                                    name,
                                    Integer.toString(own));
                        case NODE -> ClientProgram.node("eureka-js", "main.mjs", address, name, Integer.toString(own));
                    };
            return program.awaitReady();
        }
    }

    private static Map<String, String> statuses(JsonNode answer) {
        Map<String, String> statuses = new java.util.TreeMap<>();
        answer.get("value")
                .properties()
                .forEach(s -> statuses.put(s.getKey(), s.getValue().asText()));
        return statuses;
    }

    private void awaitInstances(ClientProgram program, Map<String, String> expected) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(statuses(program.ask("instances " + shown(name))))
                        .as(program.output())
                        .isEqualTo(expected));
    }

    private static String shown(String service) {
        return service.toUpperCase(Locale.ROOT);
    }

    private static String ownStatus(Api api, String service, String instance) {
        for (JsonNode i : api.get("/registry/" + service + "/instances").json().path("instances")) {
            if (i.get("instance_id").asText().equals(instance)) {
                return i.get("status").asText();
            }
        }
        return "none";
    }

    @ParameterizedTest
    @EnumSource
    void itRegistersFindsOthersAndLeaves(Program kind) {
        TestNode node = TestNode.shared();
        int port = PORT.incrementAndGet();
        String own = name + ":" + port;
        try (ClientProgram program = kind.start(node.port(), name, port)) {
            awaitInstances(program, Map.of(own, "UP"));
            assertThat(node.anonymous().get("/registry/" + name).field("service_url"))
                    .startsWith("http://")
                    .endsWith(":" + port);
            // one that registers by our own API is found, too, and one that leaves is gone
            node.admin()
                    .post(
                            "/registry/register",
                            "{\"service_name\":\"" + name
                                    + "\",\"service_url\":\"http://10.0.0.9:80\",\"instance_id\":\"own\"}");
            awaitInstances(program, Map.of(own, "UP", "own", "UP"));
            node.admin().delete("/registry/" + name + "/instances/own");
            awaitInstances(program, Map.of(own, "UP"));
            // an operator takes it out, and back in
            node.admin().put("/registry/" + name + "/instances/" + own + "/override", "{\"status\":\"stopping\"}");
            // clients that only use what is up leave it out
            await().atMost(SOON)
                    .until(() ->
                            !statuses(program.ask("instances " + shown(name))).containsValue("UP"));
            node.admin().delete("/registry/" + name + "/instances/" + own + "/override");
            awaitInstances(program, Map.of(own, "UP"));
            // removed behind its back, it registers again
            node.admin().delete("/registry/" + name + "/instances/" + own);
            await().atMost(SOON)
                    .until(() -> ownStatus(node.anonymous(), name, own).equals("healthy"));
            program.tell("stop");
            program.end();
            await().atMost(SOON)
                    .until(() -> ownStatus(node.anonymous(), name, own).equals("none"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLeaseEndsWithItsProcess(Program kind) {
        TestNode node = TestNode.shared();
        int port = PORT.incrementAndGet();
        try (ClientProgram watcher = kind.start(node.port(), name, port)) {
            int other = PORT.incrementAndGet();
            try (ClientProgram dying = kind.start(node.port(), name, other)) {
                awaitInstances(watcher, Map.of(name + ":" + port, "UP", name + ":" + other, "UP"));
                assertThat(dying.output()).isNotEmpty();
            }
            awaitInstances(watcher, Map.of(name + ":" + port, "UP"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRestartAndANodeThatIsKilledEmptyNoClient(Program kind) {
        try (TestNode other = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            int port = PORT.incrementAndGet();
            String own = name + ":" + port;
            try (NodeProcess first = NodeProcess.join(other, Map.of());
                    TcpProxy address =
                            new TcpProxy(Integer.parseInt(first.settings().get("CS_HTTP_PORT")));
                    ClientProgram program = kind.start(address.port(), name, port)) {
                awaitInstances(program, Map.of(own, "UP"));
                first.kill();
                for (int i = 0; i < 5; i++) {
                    assertThat(statuses(program.ask("instances " + shown(name))))
                            .containsKey(own);
                }
                try (NodeProcess again = new NodeProcess(first.settings())) {
                    again.awaitReady();
                    await().atMost(Duration.ofSeconds(60))
                            .until(() -> ownStatus(other.anonymous(), name, own).equals("healthy"));
                    awaitInstances(program, Map.of(own, "UP"));
                }
            }
        }
    }

    @Test
    void springsLoadBalancerPicksWhatIsUp() {
        TestNode node = TestNode.shared();
        int port = PORT.incrementAndGet();
        try (ClientProgram program = Program.SPRING.start(node.port(), name, port)) {
            awaitInstances(program, Map.of(name + ":" + port, "UP"));
            assertThat(program.ask("choose " + name).get("value").asText()).isEqualTo("http://127.0.0.1:" + port);
        }
    }

    @ParameterizedTest
    @EnumSource
    void afterTheFirstFetchItAsksForWhatChanged(Program kind) {
        try (TestNode node = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            int port = PORT.incrementAndGet();
            try (ClientProgram program = kind.start(node.port(), name, port)) {
                awaitInstances(program, Map.of(name + ":" + port, "UP"));
                long whole = requests(node, "/eureka/apps");
                long deltas = requests(node, "/eureka/apps/delta");
                for (int i = 0; i < 5; i++) {
                    // the client for Node tells instances apart by host and port
                    String url = "http://10.0.0." + i + ":80";
                    node.admin()
                            .post(
                                    "/registry/register",
                                    "{\"service_name\":\"" + name + "\",\"service_url\":\"" + url
                                            + "\",\"instance_id\":\"i" + i + "\"}");
                }
                await().atMost(SOON)
                        .until(() -> statuses(program.ask("instances " + shown(name)))
                                        .size()
                                == 6);
                await().atMost(SOON).until(() -> requests(node, "/eureka/apps/delta") >= deltas + 3);
                assertThat(requests(node, "/eureka/apps"))
                        .as("a hash that does not fit makes a client fetch everything")
                        .isEqualTo(whole);
            }
        }
    }

    private static long requests(TestNode node, String route) {
        Matcher m = Pattern.compile("config_service_http_requests_seconds_count\\{([^}]*)} ([0-9.E]+)")
                .matcher(node.anonymous().get("/metrics").text());
        long sum = 0;
        while (m.find()) {
            sum += m.group(1).contains("route=\"" + route + "\"") ? (long) Double.parseDouble(m.group(2)) : 0;
        }
        return sum;
    }

    /** Half of the instances of a service move here, then the other half; then one goes back. */
    @ParameterizedTest
    @EnumSource(names = {"SPRING", "NODE"})
    void aServiceMovesFromAServerOfEurekaAndBack(Program kind) {
        int theirs = PORT.incrementAndGet();
        TestNode node = TestNode.shared();
        int first = PORT.incrementAndGet();
        int second = PORT.incrementAndGet();
        String one = name + ":" + first;
        String two = name + ":" + second;
        try (ClientProgram server = ClientProgram.java(
                                "eureka-server",
                                List.of("-XX:TieredStopAtLevel=1"),
                                "--server.port=" + theirs,
                                "--eureka.client.register-with-eureka=false",
                                "--eureka.client.fetch-registry=false",
                                "--eureka.server.use-read-only-response-cache=false",
                                "--spring.main.banner-mode=off")
                        .awaitReady();
                ClientProgram oldOne = kind.start(theirs, name, first);
                ClientProgram oldTwo = kind.start(theirs, name, second)) {
            awaitInstances(oldOne, Map.of(one, "UP", two, "UP"));
            leave(oldTwo);
            try (ClientProgram newTwo = kind.start(node.port(), name, second)) {
                awaitInstances(newTwo, Map.of(two, "UP"));
                awaitInstances(oldOne, Map.of(one, "UP"));
                assertThat(ownStatus(node.anonymous(), name, two)).isEqualTo("healthy");
                leave(oldOne);
                try (ClientProgram newOne = kind.start(node.port(), name, first)) {
                    awaitInstances(newOne, Map.of(one, "UP", two, "UP"));
                    awaitInstances(newTwo, Map.of(one, "UP", two, "UP"));
                }
                leave(newTwo);
            }
            try (ClientProgram again = kind.start(theirs, name, second)) {
                awaitInstances(again, Map.of(two, "UP"));
            }
            assertThat(server.output()).isNotEmpty();
        }
    }

    private static void leave(ClientProgram program) {
        program.tell("stop");
        program.end();
    }
}
