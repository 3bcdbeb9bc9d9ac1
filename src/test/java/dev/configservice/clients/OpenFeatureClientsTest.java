package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** OpenFeature's own providers for OFREP, each in a process of its own. */
@Tag("clients")
class OpenFeatureClientsTest {
    private static final String PRO = "{\"targetingKey\":\"user-1\",\"plan\":\"pro\"}";
    private static final String FREE = "{\"targetingKey\":\"user-1\",\"plan\":\"free\"}";

    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final String env = "of-" + UUID.randomUUID().toString().substring(0, 8);

    /** The programs with a provider. */
    enum Program {
        JAVA,
        NODE,
        WEB;

        ClientProgram start(String base, String... key) {
            List<String> arguments = new ArrayList<>(List.of(base));
            arguments.addAll(List.of(key));
            String[] all = arguments.toArray(String[]::new);
            ClientProgram program =
                    switch (this) {
                        case JAVA -> ClientProgram.java("openfeature-java", List.of(), all);
                        case NODE -> ClientProgram.node("openfeature-js", "server.mjs", all);
                        case WEB -> ClientProgram.node("openfeature-js", "web.mjs", all);
                    };
            return program.awaitReady();
        }
    }

    private Reply flag(Api api, String name, String more) {
        Reply made =
                api.post("/feature-flags", "{\"name\":\"" + name + "\",\"environment\":\"" + env + "\"" + more + "}");
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        return made;
    }

    private static String variant(String value) {
        return ",\"is_enabled\":true,\"variants\":[{\"name\":\"only\",\"value\":" + value + ",\"weight\":1}]";
    }

    private void flags(Api api) {
        flag(api, "on", ",\"is_enabled\":true");
        flag(api, "off", ",\"is_enabled\":false");
        flag(api, "text", variant("\"blue\""));
        flag(api, "whole", variant("10"));
        flag(api, "part", variant("5.0"));
        flag(api, "object", variant("{\"a\":[1,2.5],\"b\":{\"c\":true}}"));
        flag(
                api,
                "pro-only",
                ",\"is_enabled\":true,\"rollout_percentage\":0,\"rules\":[{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"in\",\"values\":[\"pro\"]}]}]");
    }

    private String base(int port) {
        return "http://127.0.0.1:" + port + "/env/" + env;
    }

    @ParameterizedTest
    @EnumSource
    void everyKindOfFlagIsWhatTheApplicationExpects(Program program) {
        flags(admin);
        try (ClientProgram app = program.start(base(node.port()))) {
            JsonNode on = app.flag("boolean", "on", "false", PRO);
            assertThat(on.get("value").booleanValue()).as(app.output()).isTrue();
            assertThat(on.get("reason").asText()).isEqualTo("STATIC");
            JsonNode off = app.flag("boolean", "off", "true", PRO);
            assertThat(off.get("value").booleanValue())
                    .as("the application's default")
                    .isTrue();
            // the providers for servers call an answer without a value an error; the default counts all the same
            assertThat(off.get("error").isNull()).as(off.toString()).isEqualTo(program == Program.WEB);
            JsonNode text = app.flag("string", "text", "\"none\"", PRO);
            assertThat(text.get("value").asText()).isEqualTo("blue");
            assertThat(text.get("variant").asText()).isEqualTo("only");
            assertThat(app.flag("integer", "whole", "1", PRO).get("value").asInt())
                    .isEqualTo(10);
            JsonNode part = app.flag("number", "part", "1.5", PRO);
            assertThat(part.get("value").asDouble()).as(part.toString()).isEqualTo(5.0);
            assertThat(app.flag("object", "object", "0", PRO).get("value").toString())
                    .isEqualTo("{\"a\":[1,2.5],\"b\":{\"c\":true}}");
            JsonNode missing = app.flag("boolean", "missing", "true", PRO);
            assertThat(missing.get("value").booleanValue()).isTrue();
            assertThat(missing.get("error").asText()).isEqualTo("FLAG_NOT_FOUND");
            JsonNode wrong = app.flag("string", "on", "\"other\"", PRO);
            assertThat(wrong.get("value").asText()).isEqualTo("other");
            assertThat(wrong.get("error").asText()).isEqualTo("TYPE_MISMATCH");
            JsonNode pro = app.flag("boolean", "pro-only", "false", PRO);
            assertThat(pro.get("value").booleanValue()).isTrue();
            assertThat(pro.get("reason").asText()).isEqualTo("TARGETING_MATCH");
            assertThat(app.flag("boolean", "pro-only", "true", FREE)
                            .get("value")
                            .booleanValue())
                    .isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aKeyNamesTheEnvironmentAndOpensTheStream(Program program) {
        try (TestNode closed = TestNode.start(Map.of("CS_ACCESS_ANONYMOUS_READS", "false", "CS_REDIS_URI", ""))) {
            String id = flag(closed.admin(), "on", ",\"is_enabled\":true").field("id");
            String key = closed.admin()
                    .post("/access/keys", "{\"name\":\"app\",\"rights\":[\"read\"],\"environments\":[\"" + env + "\"]}")
                    .field("key");
            try (ClientProgram app = program.start("http://127.0.0.1:" + closed.port(), key)) {
                assertThat(app.flag("boolean", "on", "false", PRO).get("value").booleanValue())
                        .as(app.output())
                        .isTrue();
                closed.admin().put("/feature-flags/" + id, "{\"rollout_percentage\":0}");
                awaitValue(app, "on", false);
            }
        }
    }

    private static void awaitValue(ClientProgram app, String flag, boolean value) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(app.flag("boolean", flag, Boolean.toString(!value), PRO)
                                .get("value")
                                .booleanValue())
                        .isEqualTo(value));
    }

    @ParameterizedTest
    @EnumSource
    void aCutNetworkKeepsValuesAndIsOverWhenItIsOver(Program program) {
        String id = flag(admin, "on", ",\"is_enabled\":true").field("id");
        try (TcpProxy network = new TcpProxy(node.port());
                ClientProgram app = program.start(base(network.port()))) {
            awaitValue(app, "on", true);
            network.refuse(true);
            network.cutAll();
            if (program == Program.WEB) {
                app.awaitEvent("PROVIDER_STALE");
                assertThat(app.flag("boolean", "on", "false", PRO).get("value").booleanValue())
                        .isTrue();
            } else {
                JsonNode cut = app.flag("boolean", "on", "false", PRO);
                assertThat(cut.get("value").booleanValue()).isFalse();
                assertThat(cut.get("error").isNull()).isFalse();
            }
            admin.put("/feature-flags/" + id, "{\"rollout_percentage\":0}");
            network.refuse(false);
            awaitValue(app, "on", false);
        }
    }

    @Test
    void aChangeReachesAProgramThatListensWithoutAsking() {
        String id = flag(admin, "on", ",\"is_enabled\":true").field("id");
        flag(admin, "text", variant("\"blue\""));
        try (ClientProgram app = Program.WEB.start(base(node.port()))) {
            app.flag("boolean", "on", "false", PRO);
            Stream.of(0, 100, 0).forEach(share -> {
                admin.put("/feature-flags/" + id, "{\"rollout_percentage\":" + share + "}");
                app.awaitEvent("PROVIDER_CONFIGURATION_CHANGED");
                assertThat(app.flag("boolean", "on", "true", PRO).get("value").booleanValue())
                        .isEqualTo(share == 100);
            });
            flag(admin, "made-later", ",\"is_enabled\":true");
            app.awaitEvent("PROVIDER_CONFIGURATION_CHANGED");
            assertThat(app.flag("boolean", "made-later", "false", PRO)
                            .get("value")
                            .booleanValue())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aNodeThatRestartsIsFoundAgain(Program program) {
        try (TestNode other = TestNode.start(Map.of())) {
            String id = flag(other.admin(), "on", ",\"is_enabled\":true").field("id");
            try (NodeProcess first = NodeProcess.join(other, Map.of());
                    TcpProxy address =
                            new TcpProxy(Integer.parseInt(first.settings().get("CS_HTTP_PORT")));
                    ClientProgram app = program.start(base(address.port()))) {
                awaitValue(app, "on", true);
                first.stop();
                other.admin().put("/feature-flags/" + id, "{\"rollout_percentage\":0}");
                try (NodeProcess again = new NodeProcess(first.settings())) {
                    again.awaitReady();
                    awaitValue(app, "on", false);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutPostgresValuesGoOnAndBecomeFresh(Program program) {
        try (TestPostgres postgres = new TestPostgres();
                TestNode alone = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri()))) {
            String id = flag(alone.admin(), "on", ",\"is_enabled\":true").field("id");
            try (ClientProgram app = program.start(base(alone.port()))) {
                awaitValue(app, "on", true);
                postgres.kill();
                assertThat(app.flag("boolean", "on", "false", FREE).get("value").booleanValue())
                        .as(app.output())
                        .isTrue();
                postgres.start();
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> alone.admin()
                                        .put("/feature-flags/" + id, "{\"rollout_percentage\":0}")
                                        .status()
                                == 200);
                awaitValue(app, "on", false);
            }
        }
    }

    @Test
    @SuppressWarnings("try") // the core is stopped in the middle
    void anEdgeThatIsCutOffKeepsValuesAndBecomesFresh() {
        try (TestNode core = TestNode.start(Map.of())) {
            String id = flag(core.admin(), "on", ",\"is_enabled\":true").field("id");
            try (TestNode edge = core.edge(Map.of());
                    ClientProgram app = Program.WEB.start(base(edge.port()))) {
                awaitValue(app, "on", true);
                core.close();
                assertThat(app.flag("boolean", "on", "false", FREE).get("value").booleanValue())
                        .as("asked again of an edge without a core")
                        .isTrue();
                try (TestNode again = core.again()) {
                    again.admin().put("/feature-flags/" + id, "{\"rollout_percentage\":0}");
                    awaitValue(app, "on", false);
                }
            }
        }
    }
}
