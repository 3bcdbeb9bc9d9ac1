package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients of Consul that register and find services, each in a process of its own. */
@Tag("clients")
class ConsulClientsTest {
    private static final AtomicInteger PORT = new AtomicInteger(21_000);
    private static final Duration SOON = Duration.ofSeconds(40);

    private final String name = "pay-" + UUID.randomUUID().toString().substring(0, 8);

    /** The programs with a client. */
    enum Program {
        SPRING,
        NODE,
        KIWI,
        ECWID,
        VERTX;

        ClientProgram start(int port, String name, int own) {
            String followed = "config/" + name + "/";
            ClientProgram program =
                    switch (this) {
                        case SPRING ->
                            ClientProgram.java(
                                    "consul-spring",
                                    List.of("-XX:TieredStopAtLevel=1"),
                                    "--spring.application.name=" + name,
                                    "--spring.cloud.consul.host=127.0.0.1",
                                    "--spring.cloud.consul.port=" + port,
                                    "--spring.cloud.consul.token=" + TestNode.ADMIN_KEY,
                                    "--spring.cloud.consul.discovery.acl-token=" + TestNode.ADMIN_KEY,
                                    "--spring.cloud.consul.discovery.instance-id=" + name + ":" + own,
                                    "--spring.cloud.consul.discovery.hostname=127.0.0.1",
                                    "--spring.cloud.consul.discovery.heartbeat.enabled=true",
                                    "--spring.cloud.consul.discovery.heartbeat.ttl=5s",
                                    "--spring.cloud.consul.discovery.heartbeat.reregister-service-on-failure=true",
                                    "--spring.cloud.consul.discovery.query-passing=true",
                                    "--spring.config.import=optional:consul:",
                                    "--spring.cloud.consul.config.acl-token=" + TestNode.ADMIN_KEY,
                                    "--spring.cloud.consul.config.watch.delay=200",
                                    "--spring.cloud.loadbalancer.cache.enabled=false",
                                    "--server.port=" + own,
                                    "--spring.main.banner-mode=off");
                        case NODE ->
                            ClientProgram.node(
                                    "consul-js",
                                    "main.mjs",
                                    Integer.toString(port),
                                    TestNode.ADMIN_KEY,
                                    name,
                                    Integer.toString(own),
                                    followed);
                        default ->
                            ClientProgram.java(
                                    "consul-java",
                                    List.of("-XX:TieredStopAtLevel=1"),
                                    name().toLowerCase(Locale.ROOT),
                                    Integer.toString(port),
                                    TestNode.ADMIN_KEY,
                                    name,
                                    Integer.toString(own),
                                    followed);
                    };
            return program.awaitReady();
        }

        /** Returns the id by which the program registers. */
        String id(String name, int own) {
            // Spring's client replaces what a host name may not hold
            return this == SPRING ? name + "-" + own : name + ":" + own;
        }
    }

    private static Map<String, String> instances(ClientProgram program, String service) {
        Map<String, String> instances = new TreeMap<>();
        program.ask("instances " + service)
                .get("value")
                .properties()
                .forEach(i -> instances.put(i.getKey(), i.getValue().asText()));
        return instances;
    }

    private void awaitIds(ClientProgram program, String... ids) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(instances(program, name).keySet())
                        .as(program.output())
                        .containsExactlyInAnyOrder(ids));
    }

    private static String ownStatus(Api api, String service) {
        return api.get("/registry/" + service).field("status");
    }

    @ParameterizedTest
    @EnumSource
    void itRegistersFindsOthersAndLeaves(Program kind) {
        TestNode node = TestNode.shared();
        int port = PORT.incrementAndGet();
        String own = kind.id(name, port);
        try (ClientProgram program = kind.start(node.port(), name, port)) {
            awaitIds(program, own);
            assertThat(node.anonymous().get("/registry/" + name).field("service_url"))
                    .isEqualTo("http://127.0.0.1:" + port);
            node.admin()
                    .post(
                            "/registry/register",
                            "{\"service_name\":\"" + name
                                    + "\",\"service_url\":\"http://10.0.0.9:80\",\"instance_id\":\"own\"}");
            awaitIds(program, own, "own");
            node.admin().put("/registry/" + name + "/instances/own/override", "{\"status\":\"stopping\"}");
            awaitIds(program, own);
            node.admin().delete("/registry/" + name + "/instances/own");
            if (kind != Program.SPRING) {
                // removed behind its back, it registers again; Spring's client takes no notice of a 404
                node.admin().delete("/registry/" + name + "/instances/" + own);
                await().atMost(SOON)
                        .until(() -> ownStatus(node.anonymous(), name).equals("healthy"));
            }
            program.tell("stop");
            program.end();
            await().atMost(SOON)
                    .until(() -> node.anonymous().get("/registry/" + name).status() == 404);
        }
    }

    private void awaitValue(Program kind, ClientProgram program, String key, String value) {
        // Spring's client makes properties of keys
        String asked = kind == Program.SPRING ? key.replace('/', '.') : "config/" + name + "/" + key;
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(
                                program.ask("watched " + asked).get("value").asText())
                        .as(program.output())
                        .isEqualTo(value));
    }

    @ParameterizedTest
    @EnumSource
    void itReadsWritesAndFollowsKeys(Program kind) {
        TestNode node = TestNode.shared();
        Api admin = node.admin();
        String at = "?environment=default&service_name=" + name;
        admin.put("/config/db.url" + at, "{\"value\":\"first\"}");
        admin.put("/config/pool.size" + at, "{\"value\":5}");
        int port = PORT.incrementAndGet();
        try (ClientProgram program = kind.start(node.port(), name, port)) {
            awaitValue(kind, program, "db/url", "first");
            awaitValue(kind, program, "pool/size", "5");
            admin.put("/config/db.url" + at, "{\"value\":\"second\"}");
            awaitValue(kind, program, "db/url", "second");
            if (kind != Program.SPRING) {
                // Spring's client asks for its contexts one after the other, and waits up to 55 s at each
                admin.put("/config/later" + at, "{\"value\":\"here\"}");
                awaitValue(kind, program, "later", "here");
                admin.delete("/config/later" + at);
                awaitValue(kind, program, "later", "");
                assertThat(program.ask("put config/" + name + "/written/by it")
                                .get("value")
                                .asText())
                        .isEqualTo("it");
                assertThat(node.anonymous().get("/config/written.by" + at).field("value"))
                        .isEqualTo("it");
                assertThat(program.ask("put apps/" + name + "/k v").get("value").asText())
                        .isEqualTo("v");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLeaseEndsWithItsProcessAndANodeThatIsKilledEmptiesNoClient(Program kind) {
        try (TestNode other = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            int port = PORT.incrementAndGet();
            String own = kind.id(name, port);
            try (NodeProcess first = NodeProcess.join(other, Map.of());
                    TcpProxy address =
                            new TcpProxy(Integer.parseInt(first.settings().get("CS_HTTP_PORT")));
                    ClientProgram program = kind.start(address.port(), name, port)) {
                awaitIds(program, own);
                int dying = PORT.incrementAndGet();
                try (ClientProgram second = kind.start(other.port(), name, dying)) {
                    awaitIds(program, own, kind.id(name, dying));
                    assertThat(second.output()).isNotEmpty();
                }
                awaitIds(program, own);
                first.kill();
                try (NodeProcess again = new NodeProcess(first.settings())) {
                    again.awaitReady();
                    await().atMost(Duration.ofSeconds(60))
                            .until(() -> ownStatus(other.anonymous(), name).equals("healthy"));
                    awaitIds(program, own);
                }
            }
        }
    }
}
