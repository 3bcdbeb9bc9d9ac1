package dev.configservice.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.hazelcast.core.Hazelcast;
import com.hazelcast.multimap.MultiMap;
import dev.configservice.secret.Keyring;
import dev.configservice.testing.Api;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EdgeTest {
    private static TestNode core;
    private static TestNode edge;

    @BeforeAll
    static void start() {
        core = TestNode.start(Map.of());
        edge = core.edge(Map.of());
    }

    @AfterAll
    static void stop() {
        edge.close();
        core.close();
    }

    private static Api after(TestNode node, Reply write) {
        return node.admin().with("X-Min-Revision", Long.toString(write.revision()));
    }

    @Test
    void templatesSchemasAndSearchAreTheSameThroughTheEdge() {
        Reply template =
                edge.admin().put("/templates/of-edge", "{\"configurations\":[{\"key\":\"a.port\",\"value\":80}]}");
        assertThat(template.status()).as(template.text()).isEqualTo(201);
        assertThat(edge.admin().get("/templates/of-edge").json()).isEqualTo(template.json());
        Reply applied = edge.admin()
                .post("/templates/of-edge/apply", "{\"environment\":\"e-t\",\"service_name\":\"s\",\"parameters\":{}}");
        assertThat(applied.status()).as(applied.text()).isEqualTo(200);
        assertThat(after(edge, applied)
                        .get("/templates/of-edge/drift?environment=e-t&service_name=s")
                        .text())
                .contains("\"same\"");

        Reply schema = edge.admin()
                .put(
                        "/schemas/of-edge",
                        "{\"environment\":\"e-t\",\"key_pattern\":\"*.port\",\"schema\":{\"type\":\"integer\"},\"enforce\":\"warn\"}");
        assertThat(schema.status()).as(schema.text()).isEqualTo(201);
        Reply warned = edge.admin().put("/config/b.port?environment=e-t", "{\"value\":\"x\"}");
        assertThat(warned.header("Warning")).contains("of-edge");
        assertThat(edge.admin()
                        .put("/schemas/of-edge?force=true", "{\"enforce\":\"reject\"}")
                        .status())
                .isEqualTo(200);
        assertThat(edge.admin()
                        .put("/config/b.port?environment=e-t", "{\"value\":\"y\"}")
                        .status())
                .isEqualTo(400);
        assertThat(after(edge, warned).get("/search?q=b.port").json().get("items"))
                .hasSize(1);
        assertThat(edge.admin().get("/cluster").json().get("nodes").findValuesAsText("role"))
                .contains("core", "edge");
        assertThat(edge.admin().get("/cluster/settings").text())
                .contains("{\"name\":\"cluster.role\",\"value\":\"edge\"}")
                .doesNotContain(TestNode.ADMIN_KEY);
        assertThat(Api.anonymous(edge.port()).get("/cluster/settings").status()).isEqualTo(401);
    }

    @Test
    void writesThroughACoreNodeAreReadThroughTheEdgeAndViceVersa() {
        Reply written = core.admin()
                .post("/config", "{\"key\":\"both\",\"value\":1,\"environment\":\"e\",\"service_name\":\"s\"}");
        Reply read = after(edge, written).get("/config/both?environment=e&service_name=s");
        assertThat(read.status()).as(read.text()).isEqualTo(200);
        assertThat(read.field("value")).isEqualTo("1");
        assertThat(read.revision()).isGreaterThanOrEqualTo(written.revision());

        Reply changed = edge.admin()
                .with("If-Match", read.header("ETag"))
                .put("/config/" + written.field("id"), "{\"value\":2,\"comment\":\"by way of an edge\"}");
        assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        // the edge reads its own write at once
        assertThat(edge.admin().get("/config/" + written.field("id")).field("value"))
                .isEqualTo("2");
        assertThat(after(core, changed).get("/config/" + written.field("id")).field("value"))
                .isEqualTo("2");
        assertThat(edge.admin()
                        .with("If-Match", read.header("ETag"))
                        .put("/config/" + written.field("id"), "{\"value\":3}")
                        .status())
                .isEqualTo(412);

        Reply history = edge.admin().get("/config/" + written.field("id") + "/history");
        assertThat(history.json().get("items")).hasSize(2);
        assertThat(history.json().get("items").get(0).get("comment").asText()).isEqualTo("by way of an edge");
        Reply page = edge.anonymous().get("/config?environment=e&limit=1");
        assertThat(page.json().get("items")).hasSize(1);
        assertThat(edge.admin()
                        .get("/audit?resource_id=" + written.field("id"))
                        .json()
                        .get("items")
                        .get(0)
                        .get("actor")
                        .toString())
                .isEqualTo("{\"type\":\"admin\",\"id\":\"admin\",\"name\":\"admin\"}");
    }

    @Test
    void anEdgeReportsErrorsAsACoreNodeDoes() {
        Reply wrong = edge.admin().post("/config", "{\"key\":\"\",\"nonsense\":1}");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.wrongFields()).contains("key", "nonsense");
        assertThat(edge.anonymous()
                        .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                        .status())
                .isEqualTo(401);
        assertThat(edge.anonymous()
                        .get("/config/01890000-0000-7000-8000-000000000000")
                        .status())
                .isEqualTo(404);
        assertThat(edge.anonymous().get("/config?nonsense=1").status()).isEqualTo(400);
    }

    @Test
    void anEdgeSealsSecretsItselfAndRecordsTheirReaders(@TempDir Path directory) {
        Path another = directory.resolve("keyset.json");
        Reply written = edge.admin()
                .post(
                        "/config",
                        "{\"key\":\"secret\",\"value\":\"s3cret\",\"environment\":\"e\",\"is_encrypted\":true}");
        assertThat(written.status()).as(written.text()).isEqualTo(201);
        assertThat(written.field("value")).isEqualTo("s3cret");
        assertThat(edge.admin().get("/config/secret?environment=e").field("value"))
                .isEqualTo("s3cret");
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(core.admin()
                                .get("/audit?resource_type=secret_read&resource_id=" + written.field("id"))
                                .json()
                                .get("items")
                                .size())
                        .isGreaterThanOrEqualTo(2));

        try (TestNode keyless = core.edge(Map.of("CS_SECRETS_KEYSET", ""))) {
            Reply refused = keyless.admin()
                    .post(
                            "/config",
                            "{\"key\":\"k\",\"value\":\"s3cret\",\"environment\":\"e\",\"is_encrypted\":true}");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.field("type")).endsWith("no-keyset");
        }
        try (TestNode other = core.edge(Map.of("CS_SECRETS_KEYSET", Keyring.keptIn(another)))) {
            assertThat(other.admin()
                            .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                            .field("type"))
                    .endsWith("no-keyset");
        }
    }

    @Test
    void streamsOfAnEdgeCarryEveryChangeAndResume() {
        long before;
        try (EventStream stream = new EventStream(edge.anonymous(), "?environment=stream")) {
            before = stream.next().id();
            for (int i = 0; i < 50; i++) {
                core.admin().post("/config", "{\"key\":\"k" + i + "\",\"value\":1,\"environment\":\"stream\"}");
            }
            for (int i = 0; i < 50; i++) {
                assertThat(stream.nextChange().data().get("data").get("key").asText())
                        .isEqualTo("k" + i);
            }
        }
        // this edge has received none of the changes, so the core node reads them from the log
        try (TestNode other = core.edge(Map.of());
                EventStream stream = new EventStream(
                        other.anonymous(), "?environment=stream", "Last-Event-ID", Long.toString(before))) {
            assertThat(stream.next().type()).isEqualTo("hello");
            for (int i = 0; i < 50; i++) {
                assertThat(stream.nextChange().data().get("data").get("key").asText())
                        .isEqualTo("k" + i);
            }
        }
        assertThat(edge.anonymous()
                        .get("/changes?environment=stream&limit=500&after=" + before)
                        .json()
                        .get("items"))
                .hasSize(50);
    }

    @Test
    void anEdgeEvaluatesFlagsAndFindsServices() {
        Reply flag = edge.admin().post("/feature-flags", "{\"name\":\"f\",\"environment\":\"e\",\"is_enabled\":true}");
        assertThat(flag.status()).as(flag.text()).isEqualTo(201);
        assertThat(edge.anonymous()
                        .post(
                                "/feature-flags/evaluate",
                                "{\"flag_name\":\"f\",\"user_id\":\"u\",\"environment\":\"e\"}")
                        .field("enabled"))
                .isEqualTo("true");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(edge.admin()
                                .get("/feature-flags/" + flag.field("id") + "/usage")
                                .json()
                                .toString())
                        .contains("\"evaluations\":1"));

        assertThat(edge.admin()
                        .post(
                                "/registry/register",
                                "{\"service_name\":\"found\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}")
                        .status())
                .isEqualTo(200);
        assertThat(edge.admin()
                        .put("/registry/health", "{\"service_name\":\"found\",\"status\":\"healthy\"}")
                        .status())
                .isEqualTo(200);
        assertThat(edge.anonymous().get("/registry/found").field("service_url")).isEqualTo("http://a:1");
        // the core nodes expire the lease
        await().atMost(Duration.ofSeconds(15))
                .untilAsserted(
                        () -> assertThat(edge.anonymous().get("/registry/found").field("status"))
                                .isEqualTo("unhealthy"));
    }

    @Test
    void moreEdgesCauseNoMoreLoadsFromPostgres() {
        List<Reply> written = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            written.add(core.admin()
                    .post(
                            "/config",
                            "{\"key\":\"k\",\"value\":1,\"environment\":\"many\",\"service_name\":\"s" + i + "\"}"));
        }
        readAll(core, written);
        double before = postgresLoads(core);
        List<TestNode> edges = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                edges.add(core.edge(Map.of()));
            }
            edges.forEach(e -> readAll(e, written));
        } finally {
            edges.forEach(TestNode::close);
        }
        assertThat(postgresLoads(core) - before).isZero();
    }

    private static void readAll(TestNode node, List<Reply> written) {
        for (int i = 0; i < written.size(); i++) {
            assertThat(after(node, written.get(i))
                            .get("/config/k?environment=many&service_name=s" + i)
                            .status())
                    .isEqualTo(200);
        }
    }

    private static double postgresLoads(TestNode node) {
        Matcher m = Pattern.compile("config_service_snapshot_reads_total\\{[^}]*tier=\"postgres\"\\} (\\S+)")
                .matcher(node.anonymous().get("/metrics").text());
        assertThat(m.find()).isTrue();
        return Double.parseDouble(m.group(1));
    }

    @Test
    void anEdgeThatIsCutOffServesItsSnapshotsAsStale() {
        TestNode lone = TestNode.start(Map.of());
        try (TestNode cut = lone.edge(Map.of())) {
            Reply written = lone.admin().post("/config", "{\"key\":\"k\",\"value\":\"held\",\"environment\":\"e\"}");
            assertThat(after(cut, written).get("/config/k?environment=e").status())
                    .isEqualTo(200);
            lone.close();
            await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
                Reply read = cut.anonymous().get("/config/k?environment=e");
                assertThat(read.status()).as(read.text()).isEqualTo(200);
                assertThat(read.field("value")).isEqualTo("held");
                assertThat(read.header("X-Config-Stale")).isNotEmpty();
            });
            Reply write = cut.admin().post("/config", "{\"key\":\"w\",\"value\":1,\"environment\":\"e\"}");
            assertThat(write.status()).isEqualTo(503);
            assertThat(write.header("Retry-After")).isNotEmpty();
            assertThat(cut.anonymous().get("/health").text())
                    .contains("\"core\"")
                    .contains("DOWN");
            assertThat(cut.anonymous().get("/ready").status()).isEqualTo(200);

            // the edge reconnects to a core node with the same log
            try (TestNode back = lone.again()) {
                Reply later = back.admin().post("/config", "{\"key\":\"k2\",\"value\":\"new\",\"environment\":\"e\"}");
                await().atMost(Duration.ofSeconds(40)).untilAsserted(() -> {
                    Reply read = cut.anonymous().get("/config/k2?environment=e");
                    assertThat(read.status()).isEqualTo(200);
                    assertThat(read.revision()).isGreaterThanOrEqualTo(later.revision());
                    assertThat(read.header("X-Config-Stale")).isEmpty();
                });
            }
        }
    }

    @Test
    void anEdgeThatIsCutOffServesSnapshotsThatArrivedAfterTheReadTimedOut() {
        TestNode first = TestNode.start(Map.of());
        try (NodeProcess core = NodeProcess.join(first, Map.of())) {
            Reply written = first.admin().post("/config", "{\"key\":\"k\",\"value\":\"old\",\"environment\":\"e\"}");
            first.close();
            Map<String, String> members =
                    Map.of("CS_CLUSTER_MEMBERS", "127.0.0.1:" + core.settings().get("CS_CLUSTER_PORT"));
            try (TestNode late = first.edge(members)) {
                // the edge holds no snapshot yet, and its only core node hangs
                core.hang();
                assertThat(late.anonymous().get("/config/k?environment=e").status())
                        .isEqualTo(503);
                core.goOn();
                await().atMost(Duration.ofSeconds(30))
                        .untilAsserted(() -> assertThat(late.anonymous()
                                        .get("/config/k?environment=e")
                                        .status())
                                .isEqualTo(200));
                Reply next = core.api()
                        .key(TestNode.ADMIN_KEY)
                        .put("/config/" + written.field("id"), "{\"value\":\"newer\"}");
                assertThat(next.status()).as(next.text()).isEqualTo(200);
                // waits without reading the configuration, so the near cache may drop its snapshot meanwhile
                await().untilAsserted(() ->
                        assertThat(late.anonymous().get("/ready").revision()).isGreaterThanOrEqualTo(next.revision()));
                core.kill();
                Reply read = late.anonymous().get("/config/k?environment=e");
                assertThat(read.status()).as(read.text()).isEqualTo(200);
                assertThat(read.field("value")).isEqualTo("newer");
            }
        }
    }

    @Test
    void anEdgeStartsOverWhenTheDatabaseWasRestoredToAnEarlierState() {
        TestNode first = TestNode.start(Map.of("CS_REDIS_URI", ""));
        try (TestNode ahead = first.edge(Map.of())) {
            for (int i = 1; i <= 4; i++) {
                first.admin().post("/config", "{\"key\":\"k" + i + "\",\"value\":\"old\",\"environment\":\"e\"}");
            }
            await().untilAsserted(() -> assertThat(
                            ahead.anonymous().get("/config/k4?environment=e").status())
                    .isEqualTo(200));
            // the only node with the last two revisions is gone, and the database is restored to an earlier state
            first.close();
            first.sql("delete from resources where revision > 2");
            first.sql("delete from changes where revision > 2");
            first.sql("update units set revision = 2");
            first.sql("update head set revision = 2, hash = (select hash from changes where revision = 2)");
            try (TestNode second = first.again()) {
                for (int i = 3; i <= 6; i++) {
                    second.admin()
                            .post("/config", "{\"key\":\"other" + i + "\",\"value\":\"new\",\"environment\":\"e\"}");
                }
                await().atMost(Duration.ofSeconds(40)).untilAsserted(() -> {
                    Reply gone = ahead.anonymous().get("/config/k4?environment=e");
                    assertThat(gone.status()).as(gone.text()).isEqualTo(404);
                    assertThat(ahead.anonymous()
                                    .get("/config/other3?environment=e")
                                    .field("value"))
                            .isEqualTo("new");
                    assertThat(gone.header("X-Config-Stale")).isEmpty();
                });
            }
        }
    }

    @Test
    void busRegistrationsThatVertxFailedToPublishArePublishedAgain() {
        try (TestNode first = TestNode.start(Map.of());
                TestNode second = first.edge(Map.of())) {
            TestNode third = first.edge(Map.of());
            MultiMap<String, ?> subscriptions = Hazelcast.getAllHazelcastInstances().stream()
                    .filter(h -> h.getCluster().getLocalMember().getAddress().getPort()
                            == Integer.parseInt(first.setting("CS_CLUSTER_PORT")))
                    .findFirst()
                    .orElseThrow()
                    .getMultiMap("__vertx.subs");
            third.close();
            // removes the registrations that Vert.x publishes when it notices that the member has left
            await().during(Duration.ofMillis(1500))
                    .atMost(Duration.ofSeconds(4))
                    .until(() -> {
                        Set.copyOf(subscriptions.keySet()).forEach(subscriptions::remove);
                        return true;
                    });

            Reply written = first.admin().post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}");
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(
                            () -> assertThat(second.anonymous().get("/ready").revision())
                                    .isGreaterThanOrEqualTo(written.revision()));
        }
    }

    @Test
    void anEdgeDoesNotStartWithoutACoreNode() {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> core.edge(
                                Map.of("CS_CLUSTER_NAME", "nobody", "CS_CLUSTER_MEMBERS", "127.0.0.1:" + Ports.free()))
                        .close()))
                .hasMessageContaining("cluster.members");
    }
}
