package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Overrides by operators, weights, instances without a lease, and names. */
class OverrideTest {
    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final Api anyone = node.anonymous();
    private final String service = "svc-" + UUID.randomUUID();

    private Reply register(String id, String more) {
        Reply reply = admin.post(
                "/registry/register",
                "{\"service_name\":\"" + service + "\",\"instance_id\":\"" + id + "\",\"service_url\":\"http://host-"
                        + id + ":80\"" + more + "}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        return reply;
    }

    private Reply beat(String id, String status) {
        return admin.put(
                "/registry/health",
                "{\"service_name\":\"" + service + "\",\"instance_id\":\"" + id + "\",\"status\":\"" + status + "\"}");
    }

    private String path(String id) {
        return "/registry/" + service + "/instances/" + id;
    }

    @Test
    void anOverrideHoldsAgainstHeartbeatsAndRegistrations() {
        register("a", "");
        Reply set = admin.put(path("a") + "/override", "{\"status\":\"stopping\",\"comment\":\"maintenance\"}");
        assertThat(set.status()).as(set.text()).isEqualTo(200);
        assertThat(set.field("status")).isEqualTo("stopping");
        assertThat(set.json().at("/override/comment").asText()).isEqualTo("maintenance");
        assertThat(set.json().at("/override/set_by/name").asText()).isEqualTo("admin");
        assertThat(beat("a", "healthy").field("status")).isEqualTo("stopping");
        assertThat(register("a", ",\"metadata\":{\"v\":\"2\"}").field("status")).isEqualTo("stopping");
        Reply lookup = anyone.get("/registry/" + service);
        assertThat(lookup.status()).isEqualTo(503);
        assertThat(lookup.field("type")).isEqualTo("no-instance");
        // it outlives a deregistration for a while
        assertThat(admin.delete(path("a")).status()).isEqualTo(204);
        assertThat(register("a", "").field("status")).isEqualTo("stopping");
        JsonNode shown =
                anyone.get("/registry/" + service + "/instances").json().at("/instances/0/override");
        assertThat(shown.get("set_by").isNull()).isTrue();
        assertThat(shown.get("status").asText()).isEqualTo("stopping");

        Reply gone = admin.delete(path("a") + "/override");
        assertThat(gone.status()).isEqualTo(200);
        assertThat(gone.field("status")).isEqualTo("healthy");
        assertThat(gone.json().get("override").isNull()).isTrue();
        assertThat(anyone.get("/registry/" + service).status()).isEqualTo(200);

        assertThat(admin.put(path("none") + "/override", "{\"status\":\"stopping\"}")
                        .status())
                .isEqualTo(404);
        assertThat(admin.put(path("a") + "/override", "{\"status\":\"asleep\"}").wrongFields())
                .containsExactly("status");
        assertThat(anyone.put(path("a") + "/override", "{\"status\":\"stopping\"}")
                        .status())
                .isEqualTo(401);
    }

    @Test
    void theStatusShownIsTheWorst() {
        register("a", "");
        Map<String, Map<String, String>> shown = Map.of(
                "healthy",
                        Map.of(
                                "healthy",
                                "healthy",
                                "stopping",
                                "healthy",
                                "starting",
                                "starting",
                                "unhealthy",
                                "unhealthy"),
                "stopping",
                        Map.of(
                                "healthy",
                                "stopping",
                                "stopping",
                                "stopping",
                                "starting",
                                "starting",
                                "unhealthy",
                                "unhealthy"),
                "starting",
                        Map.of(
                                "healthy",
                                "starting",
                                "stopping",
                                "starting",
                                "starting",
                                "starting",
                                "unhealthy",
                                "unhealthy"),
                "unhealthy",
                        Map.of(
                                "healthy",
                                "unhealthy",
                                "stopping",
                                "unhealthy",
                                "starting",
                                "unhealthy",
                                "unhealthy",
                                "unhealthy"));
        shown.forEach((override, bySaid) -> {
            assertThat(admin.put(path("a") + "/override", "{\"status\":\"" + override + "\"}")
                            .status())
                    .isEqualTo(200);
            bySaid.forEach((said, expected) -> assertThat(beat("a", said).field("status"))
                    .as("override %s, says %s", override, said)
                    .isEqualTo(expected));
        });
    }

    @Test
    void weightsAreShares() {
        register("a", ",\"weight\":1");
        register("b", ",\"weight\":3");
        register("never", ",\"weight\":0");
        Map<String, Integer> picked = new HashMap<>();
        for (int i = 0; i < 400; i++) {
            picked.merge(anyone.get("/registry/" + service).field("instance_id"), 1, Integer::sum);
        }
        assertThat(picked).isEqualTo(Map.of("a", 100, "b", 300));
        for (String strategy : List.of("random", "least_response_time")) {
            for (int i = 0; i < 50; i++) {
                assertThat(anyone.get("/registry/" + service + "?strategy=" + strategy)
                                .field("instance_id"))
                        .isNotEqualTo("never");
            }
        }
        assertThat(admin.post(
                                "/registry/register",
                                "{\"service_name\":\"x\",\"service_url\":\"http://a:1\",\"weight\":1001}")
                        .wrongFields())
                .containsExactly("weight");
        register("a", ",\"weight\":0");
        register("b", ",\"weight\":0");
        assertThat(anyone.get("/registry/" + service).field("type")).isEqualTo("no-instance");
        assertThat(anyone.get("/registry/unknown-" + service).status()).isEqualTo(404);
    }

    @Test
    void leastResponseTimeAlsoTriesThoseThatHaveNotReported() {
        register("fast", "");
        register("slow", "");
        register("silent", "");
        for (String[] report : new String[][] {{"fast", "5"}, {"slow", "500"}}) {
            admin.put(
                    "/registry/health",
                    "{\"service_name\":\"" + service + "\",\"instance_id\":\"" + report[0]
                            + "\",\"status\":\"healthy\",\"response_time\":" + report[1] + "}");
        }
        Map<String, Integer> picked = new HashMap<>();
        for (int i = 0; i < 300; i++) {
            picked.merge(
                    anyone.get("/registry/" + service + "?strategy=least_response_time")
                            .field("instance_id"),
                    1,
                    Integer::sum);
        }
        assertThat(picked).containsKeys("fast", "slow", "silent");
        assertThat(picked.get("fast")).isGreaterThan(250);
    }

    @Test
    void aPermanentInstanceStaysWithoutHeartbeats() {
        try (TestNode own = TestNode.start(Map.of())) {
            Api api = own.admin();
            String body = "{\"service_name\":\"db\",\"service_url\":\"postgresql://db_1:5432\",\"permanent\":true}";
            Reply registered = api.post("/registry/register", body);
            assertThat(registered.status()).as(registered.text()).isEqualTo(200);
            assertThat(registered.json().get("permanent").asBoolean()).isTrue();
            assertThat(registered.json().get("lease_seconds").isNull()).isTrue();
            long written = registered.revision();
            api.post(
                    "/registry/register",
                    "{\"service_name\":\"short\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}");
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(
                                    own.anonymous().get("/registry/short").field("status"))
                            .isEqualTo("unhealthy"));
            assertThat(own.anonymous().get("/registry/db").field("status")).isEqualTo("healthy");
            // the same again is no write
            api.post("/registry/register", body);
            assertThat(own.sql("select count(*) from changes where revision > " + written + " and service_name = 'db'")
                            .get(0)
                            .get(0))
                    .isEqualTo("0");
            assertThat(api.put("/registry/health", "{\"service_name\":\"db\",\"status\":\"starting\"}")
                            .field("status"))
                    .isEqualTo("starting");
            assertThat(api.post(
                                    "/registry/register",
                                    "{\"service_name\":\"db\",\"service_url\":\"http://a:1\",\"permanent\":true,"
                                            + "\"lease_seconds\":9}")
                            .wrongFields())
                    .containsExactly("lease_seconds");
        }
        try (TestNode strict = TestNode.start(Map.of("CS_REGISTRY_ALLOW_PERMANENT", "false"))) {
            assertThat(strict.admin()
                            .post(
                                    "/registry/register",
                                    "{\"service_name\":\"db\",\"service_url\":\"http://a:1\",\"permanent\":true}")
                            .wrongFields())
                    .containsExactly("permanent");
        }
    }

    @Test
    void oneRegistrationThroughTwoProxiesIsOneWrite() {
        Reply first = register("a", ",\"metadata\":{\"x\":\"1\",\"y\":\"2\"}");
        // another key and another order of the metadata, as another proxy or client sends it
        String key = admin.post("/access/keys", "{\"name\":\"" + service + "\",\"rights\":[\"registry:write\"]}")
                .field("key");
        Reply again = anyone.key(key)
                .post(
                        "/registry/register",
                        "{\"service_name\":\"" + service + "\",\"instance_id\":\"a\",\"service_url\":"
                                + "\"http://host-a:80\",\"metadata\":{\"y\":\"2\",\"x\":\"1\"}}");
        assertThat(again.status()).isEqualTo(200);
        assertThat(node.sql("select count(*) from changes where service_name = '" + service + "'")
                        .get(0)
                        .get(0))
                .isEqualTo("1");
        assertThat(again.revision()).isGreaterThanOrEqualTo(first.revision());
    }

    @Test
    void aProcessAtAnotherAddressDoesNotSpeakForTheOnlyInstance() {
        assertThat(admin.post(
                                "/registry/register",
                                "{\"service_name\":\"" + service + "\",\"service_url\":\"http://10.9.8.7:80\"}")
                        .status())
                .isEqualTo(200);
        String key = admin.post("/access/keys", "{\"name\":\"" + service + "\",\"rights\":[\"registry:write\"]}")
                .field("key");
        Api other = anyone.key(key);
        assertThat(other.put("/registry/health", "{\"service_name\":\"" + service + "\",\"status\":\"stopping\"}")
                        .status())
                .isEqualTo(409);
        assertThat(other.post("/registry/deregister", "{\"service_name\":\"" + service + "\"}")
                        .status())
                .isEqualTo(409);
        // the one who registered it may, and whoever names it
        assertThat(admin.put("/registry/health", "{\"service_name\":\"" + service + "\",\"status\":\"healthy\"}")
                        .status())
                .isEqualTo(200);
        assertThat(other.put(
                                "/registry/health",
                                "{\"service_name\":\"" + service
                                        + "\",\"service_url\":\"http://10.9.8.7:80\",\"status\":\"healthy\"}")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void namesThatAreAcceptedWorkEverywhere() {
        for (String bad : List.of(".", "..", "healthy", "register", "health", "deregister", "prometheus-sd", "delta")) {
            assertThat(admin.post(
                                    "/registry/register",
                                    "{\"service_name\":\"" + bad + "\",\"service_url\":\"http://a:1\"}")
                            .wrongFields())
                    .as(bad)
                    .containsExactly("service_name");
        }
        for (String bad : List.of(".", "..", "a/b", "", "a b")) {
            assertThat(admin.post(
                                    "/registry/register",
                                    "{\"service_name\":\"s\",\"service_url\":\"http://a:1\",\"instance_id\":\"" + bad
                                            + "\"}")
                            .wrongFields())
                    .as(bad)
                    .containsExactly("instance_id");
        }
        for (String bad : List.of(
                "http://a:0",
                "http://a:65536",
                "http://a:99999",
                "http://",
                "http:///x",
                "a:1",
                "http://a b:1",
                "http://..:1",
                "http://[::1:1",
                "http://[1]:1",
                "/x",
                "http://a..b:1")) {
            assertThat(admin.post("/registry/register", "{\"service_name\":\"s\",\"service_url\":\"" + bad + "\"}")
                            .wrongFields())
                    .as(bad)
                    .containsExactly("service_url");
        }
        int n = 0;
        for (String host :
                List.of("my_service", "a.b-c.example.", "10.0.0.1:65535", "[fd00::1]:80", "x", "a_b.c:1", "UPPER")) {
            for (String id : List.of("i", "...", "-", "a:b", "instances", "override")) {
                String name = "n" + n++ + "." + service.substring(0, 20);
                assertThat(admin.post(
                                        "/registry/register",
                                        "{\"service_name\":\"" + name + "\",\"instance_id\":\"" + id
                                                + "\",\"service_url\":\"http://" + host + "/p\"}")
                                .status())
                        .as(host + " " + id)
                        .isEqualTo(200);
                assertThat(anyone.get("/registry/" + name).field("instance_id")).isEqualTo(id);
                assertThat(anyone.get("/registry/prometheus-sd?service_name=" + name)
                                .text())
                        .doesNotContain("null")
                        .contains(host.replaceAll(":\\d+$", "").toString());
                String at = "/registry/" + name + "/instances/" + id;
                assertThat(admin.put(at + "/override", "{\"status\":\"stopping\"}")
                                .status())
                        .isEqualTo(200);
                assertThat(admin.delete(at + "/override").status()).isEqualTo(200);
                assertThat(admin.delete(at).status()).as(at).isEqualTo(204);
            }
        }
    }
}
