package dev.configservice.facade.consul;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Consul, as its clients ask. */
class ConsulTest {
    // instances that expire together would hold back expiry for other tests
    private static final TestNode NODE = TestNode.start(Map.of("CS_REDIS_URI", ""));

    private final TestNode node = NODE;
    private final Api admin = node.admin();
    private final Api anyone = node.anonymous();
    private final String id = UUID.randomUUID().toString().substring(0, 8);
    private final String web = "web-" + id;

    @AfterAll
    static void stop() {
        NODE.close();
    }

    private Reply register(String body) {
        Reply done = admin.put("/v1/agent/service/register", body);
        assertThat(done.status()).as(done.text()).isEqualTo(200);
        return done;
    }

    private void registerWithTtl(String instance, String ttl) {
        register("{\"Name\":\"" + web + "\",\"ID\":\"" + instance + "\",\"Address\":\"10.1.2.3\",\"Port\":8080,"
                + "\"Tags\":[\"a\",\"b\"],\"Meta\":{\"zone\":\"z\"},\"Check\":{\"TTL\":\"" + ttl + "\"}}");
    }

    private JsonNode health(String query) {
        Reply reply = anyone.get("/v1/health/service/" + web + query);
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        assertThat(Long.parseLong(reply.header("X-Consul-Index"))).isPositive();
        assertThat(reply.header("X-Consul-KnownLeader")).isEqualTo("true");
        return reply.json();
    }

    private static String status(JsonNode entry) {
        return entry.get("Checks").get(1).get("Status").asText();
    }

    @Test
    void aTtlCheckBeginsCriticalPassesAndExpires() {
        registerWithTtl("i-" + id, "5s");
        JsonNode entry = health("").get(0);
        assertThat(entry.at("/Service/ID").asText()).isEqualTo("i-" + id);
        assertThat(entry.at("/Service/Service").asText()).isEqualTo(web);
        assertThat(entry.at("/Service/Address").asText()).isEqualTo("10.1.2.3");
        assertThat(entry.at("/Service/Port").asInt()).isEqualTo(8080);
        assertThat(entry.at("/Service/Tags").toString()).isEqualTo("[\"a\",\"b\"]");
        assertThat(entry.at("/Service/Meta/zone").asText()).isEqualTo("z");
        assertThat(entry.at("/Checks/0/CheckID").asText()).isEqualTo("serfHealth");
        assertThat(entry.at("/Checks/1/CheckID").asText()).isEqualTo("service:i-" + id);
        assertThat(status(entry)).isEqualTo("critical");
        assertThat(health("?passing")).isEmpty();
        assertThat(health("?passing=false")).hasSize(1);

        assertThat(admin.put("/v1/agent/check/pass/service:i-" + id, "").status())
                .isEqualTo(200);
        assertThat(health("?passing=true&tag=a&tag=b")).hasSize(1);
        assertThat(health("?tag=a&tag=c")).isEmpty();
        assertThat(anyone.get("/registry/" + web).field("service_url")).isEqualTo("http://10.1.2.3:8080");
        assertThat(anyone.get("/registry/" + web).text())
                .doesNotContain("foreign")
                .doesNotContain("tags");

        admin.put("/v1/agent/check/warn/service:i-" + id, "");
        assertThat(status(health("").get(0))).isEqualTo("warning");
        assertThat(health("?passing")).isEmpty();
        admin.put("/v1/agent/check/update/service:i-" + id, "{\"Status\":\"passing\",\"Output\":\"fine\"}");
        assertThat(status(health("").get(0))).isEqualTo("passing");
        admin.put("/v1/agent/check/fail/service:i-" + id, "");
        assertThat(status(health("").get(0))).isEqualTo("critical");
        admin.put("/v1/agent/check/pass/service:i-" + id, "");
        await().atMost(Duration.ofSeconds(20)).until(() -> health("?passing").isEmpty());
        assertThat(status(health("").get(0))).as("expired, and still listed").isEqualTo("critical");

        assertThat(admin.put("/v1/agent/service/deregister/i-" + id, "").status())
                .isEqualTo(200);
        assertThat(admin.put("/v1/agent/service/deregister/i-" + id, "").status())
                .isEqualTo(200);
        assertThat(health("")).isEmpty();
        Reply unknown = admin.put("/v1/agent/check/pass/service:i-" + id, "");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.text()).startsWith("Unknown check ID");
    }

    @Test
    void aServiceWithoutCheckPassesAndNamesMayBeInAnyCase() {
        register("{\"name\":\"" + web
                + "\",\"port\":81,\"tags\":[\"secure=true\"],\"meta\":null,\"enable_tag_override\":true}");
        JsonNode entry = health("?passing").get(0);
        assertThat(entry.at("/Service/ID").asText()).isEqualTo(web);
        assertThat(entry.at("/Service/Address").asText()).isEmpty();
        assertThat(entry.at("/Service/EnableTagOverride").booleanValue()).isTrue();
        assertThat(anyone.get("/registry/" + web).field("service_url")).isEqualTo("https://127.0.0.1:81");
        assertThat(anyone.get("/registry/" + web).json().get("permanent").booleanValue())
                .isTrue();
        JsonNode catalog = anyone.get("/v1/catalog/service/" + web).json().get(0);
        assertThat(catalog.get("ServiceName").asText()).isEqualTo(web);
        assertThat(catalog.get("Address").asText()).isEqualTo("127.0.0.1");
        assertThat(catalog.get("Datacenter").asText()).isEqualTo("dc1");
        assertThat(anyone.get("/v1/catalog/services").json().get(web).toString())
                .isEqualTo("[\"secure=true\"]");
        assertThat(anyone.get("/v1/catalog/services").json().get("consul").toString())
                .isEqualTo("[]");
        assertThat(anyone.get("/v1/agent/services")
                        .json()
                        .at("/" + web + "/Service")
                        .asText())
                .isEqualTo(web);
        assertThat(anyone.get("/v1/health/checks/nobody-" + id).text()).isEqualTo("[]");
        assertThat(anyone.get("/v1/health/state/passing").status()).isEqualTo(200);
        for (String path :
                List.of("/agent/self", "/status/leader", "/status/peers", "/catalog/datacenters", "/catalog/nodes")) {
            assertThat(anyone.get("/v1" + path).status()).as(path).isEqualTo(200);
        }
    }

    @Test
    void maintenanceTakesAServiceOutAndBackIn() {
        register("{\"Name\":\"" + web + "\",\"ID\":\"m-" + id + "\",\"Port\":81}");
        admin.put("/v1/agent/service/maintenance/m-" + id + "?enable=true&reason=deploy", "");
        assertThat(health("?passing")).isEmpty();
        assertThat(health("").get(0).get("Checks").toString()).contains("_service_maintenance:m-" + id);
        admin.put("/v1/agent/service/maintenance/m-" + id + "?enable=false", "");
        assertThat(health("?passing")).hasSize(1);
        assertThat(admin.put("/v1/agent/service/maintenance/nobody-" + id + "?enable=true", "")
                        .status())
                .isEqualTo(404);
        assertThat(admin.put("/v1/agent/service/maintenance/m-" + id, "").status())
                .isEqualTo(400);
    }

    @Test
    void anIdBelongsToTheServiceThatRegisteredItLast() {
        register("{\"Name\":\"" + web + "\",\"ID\":\"same-" + id + "\",\"Port\":81}");
        register("{\"Name\":\"other-" + id + "\",\"ID\":\"same-" + id + "\",\"Port\":82}");
        assertThat(health("")).isEmpty();
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"c-" + id + "\",\"rights\":[\"registry:write\"],\"service_names\":[\"" + web
                                + "\"]}")
                .field("key");
        Api mine = anyone.with("X-Consul-Token", key);
        Reply stolen = mine.put(
                "/v1/agent/service/register", "{\"Name\":\"" + web + "\",\"ID\":\"same-" + id + "\",\"Port\":83}");
        assertThat(stolen.status()).isEqualTo(403);
        assertThat(stolen.text()).isEqualTo("Permission denied");
        assertThat(mine.put("/v1/agent/service/register", "{\"Name\":\"" + web + "\",\"ID\":\"own-" + id + "\"}")
                        .status())
                .isEqualTo(200);
        assertThat(anyone.put("/v1/agent/service/deregister/own-" + id + "?token=" + key, "")
                        .status())
                .isEqualTo(200);
        assertThat(anyone.with("X-Consul-Token", "wrong")
                        .get("/v1/catalog/services")
                        .status())
                .isEqualTo(403);
        assertThat(anyone.with("X-Consul-Token", "").get("/v1/catalog/services").status())
                .isEqualTo(200);
        assertThat(anyone.put("/v1/agent/service/deregister/x", "").status()).isEqualTo(403);
    }

    @Test
    void aBlockingQueryReturnsWhenItsServiceChanges() {
        register("{\"Name\":\"" + web + "\",\"ID\":\"b-" + id + "\",\"Port\":81}");
        String index = anyone.get("/v1/health/service/" + web).header("X-Consul-Index");
        CompletableFuture<Reply> waiting = CompletableFuture.supplyAsync(
                () -> anyone.get("/v1/health/service/" + web + "?index=" + index + "&wait=15s"));
        register("{\"Name\":\"other-" + id + "\",\"ID\":\"o-" + id + "\",\"Port\":81}");
        long revision = register("{\"Name\":\"" + web + "\",\"ID\":\"b2-" + id + "\",\"Port\":82}")
                .revision();
        Reply woken = waiting.join();
        assertThat(woken.json()).hasSize(2);
        assertThat(Long.parseLong(woken.header("X-Consul-Index"))).isEqualTo(revision);
        Reply same = anyone.get("/v1/health/service/" + web + "?index=" + revision + "&wait=100ms");
        assertThat(same.header("X-Consul-Index")).isEqualTo(Long.toString(revision));
        assertThat(anyone.get("/v1/health/service/" + web + "?index=" + (revision + 1000) + "&wait=10s")
                        .header("X-Consul-Index"))
                .as("an index of another log is answered at once")
                .isEqualTo(Long.toString(revision));
        for (String bad : List.of("index=x", "index=1&wait=soon", "filter=ServiceName==x")) {
            assertThat(anyone.get("/v1/health/service/" + web + "?" + bad).status())
                    .as(bad)
                    .isEqualTo(400);
        }
        assertThat(anyone.get("/v1/health/service/" + web + "?wait=55s&stale&near=_agent&dc=dc1")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void asManyQueriesWaitAsStreamsMayBeOpen() {
        try (TestNode small = TestNode.start(Map.of("CS_CHANGES_MAX_STREAMS", "1", "CS_REDIS_URI", ""))) {
            small.admin().put("/v1/agent/service/register", "{\"Name\":\"s\"}");
            String path = "/v1/health/service/s?wait=8s&index="
                    + small.anonymous().get("/v1/health/service/s").header("X-Consul-Index");
            CompletableFuture<Reply> one =
                    CompletableFuture.supplyAsync(() -> small.anonymous().get(path));
            CompletableFuture<Reply> two =
                    CompletableFuture.supplyAsync(() -> small.anonymous().get(path));
            assertThat(List.of(one.join().status(), two.join().status())).containsExactlyInAnyOrder(200, 429);
        }
    }

    @Test
    void whatIsRegisteredByOneIsFoundByAllOthers() {
        register("{\"Name\":\"" + web + "\",\"ID\":\"consul-" + id + "\",\"Address\":\"10.0.0.1\",\"Port\":81}");
        admin.post(
                "/registry/register",
                "{\"service_name\":\"" + web + "\",\"service_url\":\"http://10.0.0.2:82\",\"instance_id\":\"own-" + id
                        + "\"}");
        admin.post("/eureka/apps/" + web, """
                {"instance":{"instanceId":"eureka-%s","hostName":"10.0.0.3","app":"x","status":"UP","vipAddress":"%s",
                "port":{"$":83,"@enabled":"true"},"dataCenterInfo":{"name":"MyOwn"}}}""".formatted(id, web));
        String consul = health("?passing").toString();
        String own = anyone.get("/registry/" + web + "/instances").text();
        String eureka = anyone.with("Accept", "application/json")
                .get("/eureka/apps/" + web)
                .text();
        String prometheus =
                anyone.get("/registry/prometheus-sd?service_name=" + web).text();
        for (String instance : List.of("consul-", "own-", "eureka-")) {
            for (String found : List.of(consul, own, eureka, prometheus)) {
                assertThat(found).contains(instance + id);
            }
        }
        for (String address : List.of("10.0.0.1", "10.0.0.2", "10.0.0.3")) {
            for (String found : List.of(consul, own, eureka, prometheus)) {
                assertThat(found).contains(address);
            }
        }
    }

    @Test
    void badRegistrationsSayWhatIsWrong() {
        Map<String, String> broken = Map.of(
                "Name", "{\"ID\":\"x\"}",
                "ID", "{\"Name\":\"" + web + "\",\"ID\":\"a b\"}",
                "Port", "{\"Name\":\"" + web + "\",\"Port\":70000}",
                "Address", "{\"Name\":\"" + web + "\",\"Address\":\"not a host\"}",
                "TTL", "{\"Name\":\"" + web + "\",\"Check\":{\"TTL\":\"soon\"}}",
                "Check", "{\"Name\":\"" + web + "\",\"Checks\":[3]}",
                "Meta", "{\"Name\":\"" + web + "\",\"Meta\":{\"a\":\"" + "x".repeat(2000) + "\"}}",
                "body", "[]");
        broken.forEach((field, body) -> {
            Reply refused = admin.put("/v1/agent/service/register", body);
            assertThat(refused.status()).as(field).isEqualTo(400);
            assertThat(refused.header("Content-Type")).startsWith("text/plain");
            assertThat(refused.text()).contains(field);
        });
        assertThat(admin.put("/v1/agent/service/register", "no json").status()).isEqualTo(400);
        Api any = anyone.undescribed();
        for (String path : List.of("/v1/session/create", "/v1/txn", "/v1/query", "/v1/event/list")) {
            Reply none = any.get(path);
            assertThat(none.status()).as(path).isEqualTo(404);
            assertThat(none.header("Content-Type")).startsWith("text/plain");
        }
    }

    @Test
    void eachCheckHasAStatusAndTheWorstIsThatOfTheInstance() {
        register("{\"Name\":\"" + web + "\",\"ID\":\"m-" + id + "\",\"Port\":80,\"Checks\":["
                + "{\"TTL\":\"60s\",\"Status\":\"passing\",\"Name\":\"one\"},"
                + "{\"CheckID\":\"two-" + id + "\",\"TTL\":\"90s\",\"Status\":\"passing\",\"Notes\":\"n\"}]}");
        assertThat(health("?passing")).hasSize(1);
        admin.put("/v1/agent/check/fail/two-" + id + "?note=broken", "");
        // the other one passing does not hide it
        admin.put("/v1/agent/check/pass/service:m-" + id + ":1", "");
        JsonNode checks = health("").get(0).get("Checks");
        assertThat(checks.get(1).get("Status").asText()).isEqualTo("passing");
        assertThat(checks.get(1).get("Name").asText()).isEqualTo("one");
        assertThat(checks.get(2).get("Status").asText()).isEqualTo("critical");
        assertThat(checks.get(2).get("Output").asText()).isEqualTo("broken");
        assertThat(checks.get(2).get("Notes").asText()).isEqualTo("n");
        assertThat(anyone.get("/registry/" + web + "/instances")
                        .json()
                        .at("/instances/0/status")
                        .asText())
                .isEqualTo("unhealthy");
        admin.put("/v1/agent/check/pass/two-" + id, "");
        assertThat(health("?passing")).hasSize(1);

        assertThat(admin.put(
                                "/v1/agent/check/register",
                                "{\"Name\":\"three-" + id + "\",\"ServiceID\":\"m-" + id + "\",\"TTL\":\"30s\"}")
                        .status())
                .isEqualTo(200);
        assertThat(health("?passing")).isEmpty();
        assertThat(health("").get(0).get("Checks")).hasSize(4);
        assertThat(anyone.get("/registry/" + web + "/instances")
                        .json()
                        .at("/instances/0/lease_seconds")
                        .asInt())
                .isEqualTo(30);
        assertThat(admin.put("/v1/agent/check/deregister/three-" + id, "").status())
                .isEqualTo(200);
        assertThat(health("?passing")).hasSize(1);
        assertThat(admin.put("/v1/agent/check/register", "{\"Name\":\"n\"}").text())
                .contains("ServiceID");
        assertThat(admin.put("/v1/agent/check/deregister/none-" + id, "").status())
                .isEqualTo(404);
    }

    /** A fleet of Eureka's and Consul's clients that stops beating together: nobody is told that it is gone. */
    @Test
    void massExpiryIsHeldBackForForeignClientsToo() {
        try (TestNode fleet = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            for (int i = 0; i < 12; i++) {
                Reply consul = fleet.admin()
                        .put(
                                "/v1/agent/service/register",
                                "{\"Name\":\"web\",\"ID\":\"c" + i
                                        + "\",\"Address\":\"10.0.0.1\",\"Port\":80,\"Check\":{\"TTL\":\"5s\",\"Status\":\"passing\"}}");
                assertThat(consul.status()).as(consul.text()).isEqualTo(200);
                Reply eureka = fleet.admin()
                        .with("Content-Type", "application/json")
                        .post(
                                "/eureka/apps/API",
                                "{\"instance\":{\"instanceId\":\"e" + i
                                        + "\",\"hostName\":\"10.0.0.2\",\"app\":\"API\",\"status\":\"UP\",\"port\":{\"$\":80,"
                                        + "\"@enabled\":\"true\"},\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$"
                                        + "DefaultDataCenterInfo\",\"name\":\"MyOwn\"},\"leaseInfo\":{\"durationInSecs\":5}}}");
                assertThat(eureka.status()).as(eureka.text()).isEqualTo(204);
            }
            Api anyone = fleet.anonymous();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> anyone.get("/registry").json().get("protected").asBoolean());
            int consul = anyone.get("/v1/health/service/web?passing").json().size();
            int eureka = anyone.with("Accept", "application/json")
                    .get("/eureka/apps/API")
                    .json()
                    .at("/application/instance")
                    .size();
            // a sweep before may have found fewer than a third overdue, which may really be gone
            assertThat(consul + eureka).isBetween(17, 24);
            assertThat(consul).isPositive();
            assertThat(eureka).isPositive();
            assertThat(anyone.get("/registry").field("protected_reason")).isNotEmpty();
        }
    }

    @Test
    void anEdgeAnswersAndPassesWritesOn() {
        try (TestNode core = TestNode.start(Map.of("CS_REDIS_URI", ""));
                TestNode edge = core.edge(Map.of())) {
            Api there = edge.anonymous().with("X-Consul-Token", TestNode.ADMIN_KEY);
            assertThat(there.put("/v1/agent/service/register", "{\"Name\":\"e\",\"Check\":{\"TTL\":\"30s\"}}")
                            .status())
                    .isEqualTo(200);
            assertThat(there.put("/v1/agent/check/pass/service:e", "").status()).isEqualTo(200);
            assertThat(edge.anonymous().get("/v1/health/service/e?passing").json())
                    .hasSize(1);
        }
        try (TestNode without = TestNode.start(Map.of("CS_FACADES_CONSUL", "false", "CS_REDIS_URI", ""))) {
            assertThat(without.anonymous()
                            .undescribed()
                            .get("/v1/catalog/services")
                            .status())
                    .isEqualTo(404);
        }
    }
}
