package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RegistryApiTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String service = "svc-" + UUID.randomUUID();

    private Reply register(String url, String more) {
        Reply reply = admin.post(
                "/registry/register",
                "{\"service_name\":\"" + service + "\",\"service_url\":\"" + url + "\"" + more + "}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        return reply;
    }

    private Reply beat(String status, String more) {
        return admin.put(
                "/registry/health", "{\"service_name\":\"" + service + "\",\"status\":\"" + status + "\"" + more + "}");
    }

    @Test
    void aRegisteredInstanceIsFound() {
        Reply registered = register(
                "http://user-service:8080",
                ",\"health_check_url\":\"http://user-service:8080/health\",\"metadata\":{\"region\":\"eu\"}");
        assertThat(registered.field("status")).isEqualTo("healthy");
        assertThat(registered.json().get("lease_seconds").asInt()).isEqualTo(90);

        Reply found = anyone.get("/registry/" + service);
        assertThat(found.field("service_url")).isEqualTo("http://user-service:8080");
        assertThat(anyone.get("/registry/healthy").text()).contains(service);
        assertThat(anyone.get("/registry").text())
                .contains("\"service_name\":\"" + service + "\",\"instances\":1,\"healthy\":1");
        assertThat(anyone.get("/registry/" + service + "?metadata.region=us").field("type"))
                .isEqualTo("no-instance");
        assertThat(anyone.get("/registry/unknown-" + service).status()).isEqualTo(404);
        JsonNode target = anyone.get("/registry/prometheus-sd?service_name=" + service)
                .json()
                .get(0);
        assertThat(target.get("targets").get(0).asText()).isEqualTo("user-service:8080");
    }

    @Test
    void registeringTheSameDataAgainIsAHeartbeatAndNoWrite() {
        Reply first = register("http://a:1", "");
        long before = anyone.get("/changes?limit=1").revision();

        Reply second = register("http://a:1", "");

        assertThat(second.field("instance_id")).isEqualTo(first.field("instance_id"));
        assertThat(anyone.get("/changes?limit=1").revision()).isEqualTo(before);
        assertThat(register("http://a:1", ",\"metadata\":{\"v\":\"2\"}").revision())
                .isGreaterThan(before);
        assertThat(anyone.get("/registry/" + service + "/instances").json().get("instances"))
                .hasSize(1);
    }

    @Test
    void heartbeatsChangeTheStatusAndCarryResponseTimes() {
        register("http://a:1", "");
        Reply quiet = beat("healthy", ",\"response_time\":12.5");
        assertThat(quiet.json().get("response_time").asDouble()).isEqualTo(12.5);
        long revision = anyone.get("/changes?limit=1").revision();
        beat("healthy", "");
        assertThat(anyone.get("/changes?limit=1").revision()).isEqualTo(revision);

        Reply changed = beat("unhealthy", "");
        assertThat(changed.field("status")).isEqualTo("unhealthy");
        assertThat(anyone.get("/registry/" + service).field("status")).isEqualTo("unhealthy");
        assertThat(anyone.get("/registry/healthy?service_name=" + service)
                        .json()
                        .get("services"))
                .isEmpty();
        beat("healthy", "");
        assertThat(anyone.get("/registry/" + service).field("status")).isEqualTo("healthy");
        beat("stopping", "");
        assertThat(anyone.get("/registry/" + service).status()).isEqualTo(503);
        assertThat(anyone.get("/registry/" + service + "/instances?status=stopping")
                        .json()
                        .get("instances"))
                .hasSize(1);
    }

    @Test
    void lookupsRotateOrPickTheFastestInstance() {
        register("http://a:1", ",\"instance_id\":\"a\"");
        register("http://b:1", ",\"instance_id\":\"b\"");
        register("http://c:1", ",\"instance_id\":\"c\"");
        Set<String> turns = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            turns.add(anyone.get("/registry/" + service).field("instance_id"));
        }
        assertThat(turns).containsExactlyInAnyOrder("a", "b", "c");
        beat("healthy", ",\"instance_id\":\"a\",\"response_time\":30");
        beat("healthy", ",\"instance_id\":\"b\",\"response_time\":10");
        for (int i = 0; i < 3; i++) {
            assertThat(anyone.get("/registry/" + service + "?strategy=least_response_time")
                            .field("instance_id"))
                    .isEqualTo("b");
        }
        assertThat(anyone.get("/registry/" + service + "?strategy=best").status())
                .isEqualTo(400);
    }

    @Test
    void aHeartbeatWithoutAnIdMustMatchExactlyOneInstance() {
        assertThat(beat("healthy", "").status()).isEqualTo(404);
        register("http://a:1", "");
        assertThat(beat("healthy", "").status()).isEqualTo(200);
        register("http://b:1", "");
        // both instances were registered with the same key from the same address
        assertThat(beat("healthy", "").status()).isEqualTo(409);
        register("http://127.0.0.1:9", "");
        assertThat(beat("healthy", ",\"service_url\":\"http://b:1\"").field("service_url"))
                .isEqualTo("http://b:1");
        assertThat(beat("healthy", ",\"instance_id\":\"zzz\"").status()).isEqualTo(404);
    }

    @Test
    void instancesCanBeDeregistered() {
        Reply a = register("http://a:1", "");
        register("http://b:1", "");
        assertThat(admin.delete("/registry/" + service + "/instances/" + a.field("instance_id"))
                        .status())
                .isEqualTo(204);
        assertThat(admin.post("/registry/deregister", "{\"service_name\":\"" + service + "\"}")
                        .status())
                .isEqualTo(204);
        assertThat(anyone.get("/registry/" + service).status()).isEqualTo(404);
        assertThat(admin.post("/registry/deregister", "{\"service_name\":\"" + service + "\"}")
                        .status())
                .isEqualTo(404);
        JsonNode changes = anyone.get("/changes?resource_type=service&service_name=" + service)
                .json()
                .get("items");
        assertThat(changes.get(2).get("event_type").asText()).isEqualTo("service.deregistered");
        assertThat(changes.get(2).get("resource_id").asText()).startsWith(service + "/");
        // the same instance can register again
        register("http://a:1", "");
        assertThat(anyone.get("/registry/" + service).status()).isEqualTo(200);
    }

    @Test
    void deregisteringWithAnIdempotencyKeyIsExecutedOnce() {
        register("http://a:1", "");
        String leave = "{\"service_name\":\"" + service + "\"}";
        Api again = admin.with("Idempotency-Key", "leave-" + service);

        Reply first = again.post("/registry/deregister", leave);
        Reply second = again.post("/registry/deregister", leave);

        assertThat(first.status()).isEqualTo(204);
        assertThat(second.status()).isEqualTo(204);
        assertThat(second.revision()).isEqualTo(first.revision());
        assertThat(admin.post("/registry/deregister", leave).status()).isEqualTo(404);
        assertThat(again.post("/registry/deregister", "{\"service_name\":\"other-" + service + "\"}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void aFixedPathLeavesOtherMethodsToThePathWithAParameter() {
        // read as the name of a service that does not exist, and as the id of a flag
        assertThat(anyone.get("/registry/register").status()).isEqualTo(404);
        assertThat(anyone.get("/feature-flags/evaluate").status()).isEqualTo(404);
        Reply reply = anyone.delete("/registry/register");
        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.header("Allow")).isEqualTo("GET, HEAD, POST");
    }

    @Test
    void allInvalidFieldsOfARegistrationAreReportedAtOnce() {
        Reply reply = admin.post(
                "/registry/register",
                "{\"service_name\":\"healthy\",\"service_url\":\"nowhere\",\"lease_seconds\":1,\"status\":\"fine\","
                        + "\"metadata\":{\"a\":1},\"extra\":1}");
        assertThat(reply.wrongFields())
                .containsExactlyInAnyOrder(
                        "service_name", "service_url", "lease_seconds", "status", "metadata", "extra");
        assertThat(anyone.post("/registry/register", "{}").status()).isEqualTo(401);
    }

    @Test
    void anExpiredLeaseMakesTheInstanceUnhealthyUntilItsNextHeartbeat() {
        register("http://a:1", ",\"lease_seconds\":5");
        await().atMost(Duration.ofSeconds(9))
                .untilAsserted(
                        () -> assertThat(anyone.get("/registry/" + service).field("status"))
                                .isEqualTo("unhealthy"));
        JsonNode changes = anyone.get("/changes?resource_type=service&service_name=" + service)
                .json()
                .get("items");
        assertThat(changes.get(1).get("event_type").asText()).isEqualTo("service.expired");
        assertThat(changes.get(1).get("actor").isNull()).isTrue();

        assertThat(beat("healthy", "").field("status")).isEqualTo("healthy");
        assertThat(anyone.get("/registry/" + service).field("status")).isEqualTo("healthy");
    }

    @Test
    void aMassExpiryIsHeldBackAndReportedAndThenContinuesSlowly() {
        try (TestNode node = TestNode.start(Map.of("CS_REGISTRY_PROTECTION_MAX", "3"));
                TestNode other = node.join()) {
            for (int i = 0; i < 30; i++) {
                assertThat(node.admin()
                                .post(
                                        "/registry/register",
                                        "{\"service_name\":\"s\",\"service_url\":\"http://h" + i
                                                + ":1\",\"instance_id\":\"i" + i + "\",\"lease_seconds\":5}")
                                .status())
                        .isEqualTo(200);
            }
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(node.anonymous()
                                    .get("/registry")
                                    .json()
                                    .get("protected")
                                    .asBoolean())
                            .isTrue());
            // the other node, which does not hold them back, reports it too
            await().atMost(Duration.ofSeconds(5))
                    .untilAsserted(() -> assertThat(other.anonymous()
                                    .get("/registry")
                                    .json()
                                    .get("protected")
                                    .asBoolean())
                            .isTrue());
            // the leases expire one after the other, and a sweep may run in between: it expires fewer than a third, and
            // the next sweep counts all of them
            await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> {
                Reply held = node.anonymous().get("/registry/s/instances?status=healthy");
                assertThat(held.json().get("instances")).hasSizeBetween(21, 30);
                assertThat(held.field("protected_reason")).contains("30 of 30");
            });
            assertThat(node.admin()
                            .put(
                                    "/registry/health",
                                    "{\"service_name\":\"s\",\"status\":\"healthy\",\"instance_id\":\"i3\"}")
                            .field("status"))
                    .isEqualTo("healthy");
            // lookups prefer the instance with a heartbeat to those that are held back
            assertThat(node.anonymous().get("/registry/s").field("instance_id")).isEqualTo("i3");
            // holding back ends: after three leases they expire, a few at a time
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(node.anonymous()
                                    .get("/registry/s/instances?status=unhealthy")
                                    .json()
                                    .get("instances"))
                            .isNotEmpty());
        }
    }

    @Test
    void leasesSurviveTheNodesThatHeldThem() {
        try (TestNode first = TestNode.start(Map.of())) {
            TestNode second = first.join();
            first.admin()
                    .post(
                            "/registry/register",
                            "{\"service_name\":\"s\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}");
            second.close();
            assertThat(first.anonymous().get("/registry/s").field("status")).isEqualTo("healthy");
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(
                                    first.anonymous().get("/registry/s").field("status"))
                            .isEqualTo("unhealthy"));
        }
    }

    @Test
    void afterARestartOfTheClusterEveryLeaseGetsItsFullTimeAndStillExpires() {
        String database;
        try (TestNode node = TestNode.start(Map.of())) {
            database = node.setting("CS_POSTGRES_URI");
            node.admin()
                    .post(
                            "/registry/register",
                            "{\"service_name\":\"s\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}");
        }
        // the grid is gone, and the lease with it
        long started = System.currentTimeMillis();
        try (TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", database))) {
            assertThat(node.anonymous().get("/registry/s").field("status")).isEqualTo("healthy");
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(
                            () -> assertThat(node.anonymous().get("/registry/s").field("status"))
                                    .isEqualTo("unhealthy"));
            JsonNode changes = node.anonymous()
                    .get("/changes?resource_type=service")
                    .json()
                    .get("items");
            JsonNode end = changes.get(changes.size() - 1);
            assertThat(end.get("action").asText()).isEqualTo("expired");
            assertThat(Instant.parse(end.get("occurred_at").asText()).toEpochMilli())
                    .isGreaterThanOrEqualTo(started + 5000);
        }
    }

    @Test
    void aNodeExpiresNothingWhileALiveNodeIsMissingFromItsGrid() {
        try (TestNode node = TestNode.start(Map.of())) {
            // another core node updates its row in the database, but is not in this node's grid
            node.sql("insert into nodes (id, seen_at) values (gen_random_uuid(), now() + interval '1 minute')");
            node.admin()
                    .post(
                            "/registry/register",
                            "{\"service_name\":\"s\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}");
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(node.anonymous()
                                    .get("/registry/s/instances")
                                    .field("protected_reason"))
                            .contains("another live node"));
            assertThat(node.anonymous().get("/registry/s").field("status")).isEqualTo("healthy");

            node.sql("delete from nodes where seen_at > now() + interval '10 seconds'");

            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(
                            () -> assertThat(node.anonymous().get("/registry/s").field("status"))
                                    .isEqualTo("unhealthy"));
            assertThat(node.anonymous().get("/metrics").text())
                    .containsPattern("config_service_registry_protections_ended_total\\{[^}]*} 1.0");
        }
    }

    @Test
    void theRevisionOfAHeartbeatNeverGoesBack() {
        long registered = register("http://a:1", "").revision();
        Reply later = admin.post("/config", "{\"key\":\"k-" + service + "\",\"value\":1,\"environment\":\"e\"}");
        assertThat(later.revision()).isGreaterThan(registered);
        assertThat(beat("healthy", "").revision()).isGreaterThanOrEqualTo(later.revision());
        assertThat(register("http://a:1", "").revision()).isGreaterThanOrEqualTo(later.revision());
        // a heartbeat that changes the status is a write, and tells its revision
        assertThat(beat("stopping", "").revision()).isGreaterThan(later.revision());
    }
}
