package dev.configservice.facade.eureka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** Eureka, as its clients ask. */
class EurekaTest {
    // instances that expire together would hold back expiry for other tests
    private static final TestNode NODE = TestNode.start(Map.of("CS_REDIS_URI", ""));

    private final TestNode node = NODE;
    private final Api admin = node.admin();
    private final Api json = node.anonymous().with("Accept", "application/json");
    private final String id = java.util.UUID.randomUUID().toString().substring(0, 8);
    private final String app = "APP-" + id.toUpperCase(java.util.Locale.ROOT);
    private final String service = "app-" + id;

    @AfterAll
    static void stop() {
        NODE.close();
    }

    private static ObjectNode instance(String app, String id) {
        return (ObjectNode) Json.read(
                """
                {"instance":{"instanceId":"%s","hostName":"host.example","app":"%s","ipAddr":"10.0.0.1","status":"UP",
                "overriddenStatus":"UNKNOWN","port":{"$":8080,"@enabled":"true"},"securePort":{"$":8443,"@enabled":"false"},
                "countryId":1,"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},
                "leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90},"metadata":{"zone":"a","@class":"x"},
                "homePageUrl":"http://host.example:8080/home","statusPageUrl":"http://host.example:8080/info",
                "healthCheckUrl":"http://host.example:8080/health","vipAddress":"%s","secureVipAddress":"%s-secure",
                "lastDirtyTimestamp":"1000","actionType":"ADDED","surprise":{"a":1}}}""".formatted(id, app, app.toLowerCase(java.util.Locale.ROOT), app.toLowerCase(java.util.Locale.ROOT)));
    }

    private Reply register(String instanceId) {
        return register(instance(app, instanceId));
    }

    private Reply register(JsonNode body) {
        return admin.post("/eureka/apps/" + app, Json.write(body));
    }

    private JsonNode shown(String instanceId) {
        Reply reply = json.get("/eureka/apps/" + app + "/" + instanceId);
        assertThat(reply.status()).as(instanceId).isEqualTo(200);
        return reply.json().get("instance");
    }

    private static List<JsonNode> listed(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        List<JsonNode> all = new ArrayList<>();
        reply.json()
                .at("/applications/application")
                .forEach(a -> a.get("instance").forEach(all::add));
        return all;
    }

    @Test
    void whatIsRegisteredComesBackAsItWasGiven() {
        assertThat(register("host:8080").status()).isEqualTo(204);
        JsonNode back = shown("host:8080");
        JsonNode given = instance(app, "host:8080").get("instance");
        for (String field : List.of(
                "instanceId",
                "hostName",
                "app",
                "ipAddr",
                "status",
                "overriddenStatus",
                "port",
                "securePort",
                "countryId",
                "dataCenterInfo",
                "homePageUrl",
                "statusPageUrl",
                "healthCheckUrl",
                "vipAddress",
                "secureVipAddress",
                "lastDirtyTimestamp")) {
            assertThat(back.get(field)).as(field).isEqualTo(given.get(field));
        }
        assertThat(back.get("metadata").toString()).isEqualTo("{\"zone\":\"a\"}");
        assertThat(back.has("surprise")).isFalse();
        assertThat(back.at("/leaseInfo/durationInSecs").asInt()).isEqualTo(90);
        assertThat(back.get("lastUpdatedTimestamp").isTextual()).isTrue();
        assertThat(back.get("isCoordinatingDiscoveryServer").asText()).isEqualTo("false");
        // our own API finds it, without what only Eureka knows
        Reply own = node.anonymous().get("/registry/" + service);
        assertThat(own.field("service_url")).isEqualTo("http://host.example:8080");
        assertThat(own.field("instance_id")).isEqualTo("host:8080");
        assertThat(own.json().get("metadata").toString()).isEqualTo("{\"zone\":\"a\"}");
        assertThat(own.text()).doesNotContain("foreign").doesNotContain("10.0.0.1");
        assertThat(node.admin().get("/audit?service_name=" + service).text()).doesNotContain("foreign");
        for (String root : List.of("/eureka", "/eureka/v2")) {
            for (String path : List.of(
                    root + "/apps/",
                    root + "/apps",
                    root + "/apps/" + app,
                    root + "/apps/" + service,
                    root + "/instances/host%3A8080",
                    root + "/vips/" + service,
                    root + "/svips/" + service + "-secure")) {
                assertThat(json.get(path).text()).as(path).contains("\"instanceId\":\"host:8080\"");
            }
        }
        assertThat(json.get("/eureka/vips/nobody").status()).isEqualTo(200);
        assertThat(listed(json.get("/eureka/vips/nobody"))).isEmpty();
        for (String path : List.of("/eureka/apps/NOBODY-" + id, "/eureka/apps/" + app + "/x", "/eureka/instances/x")) {
            Reply missing = json.get(path);
            assertThat(missing.status()).isEqualTo(404);
            assertThat(missing.text()).isEmpty();
        }
    }

    @Test
    void whatIsRegisteredByOurOwnApiIsFoundWhole() {
        admin.post(
                "/registry/register",
                "{\"service_name\":\"" + service
                        + "\",\"service_url\":\"https://own.example:9443/base\",\"instance_id\":\"i\","
                        + "\"metadata\":{\"zone\":\"b\",\"odd key\":\"<&>\\u0001\"}}");
        JsonNode shown = shown("i");
        assertThat(shown.get("securePort").toString()).isEqualTo("{\"$\":9443,\"@enabled\":\"true\"}");
        assertThat(shown.get("port").get("@enabled").asText()).isEqualTo("false");
        assertThat(shown.get("hostName").asText()).isEqualTo("own.example");
        assertThat(shown.get("vipAddress").asText()).isEqualTo(service);
        assertThat(shown.get("homePageUrl").asText()).isEqualTo("https://own.example:9443/base/");
        assertThat(shown.get("status").asText()).isEqualTo("UP");
        // it can be renewed by Eureka, too
        assertThat(admin.put("/eureka/apps/" + app + "/i?status=UP&lastDirtyTimestamp=5", "")
                        .status())
                .isEqualTo(200);
        Document xml = xml(node.anonymous().get("/eureka/apps/" + app));
        assertThat(xml.getElementsByTagName("zone").item(0).getTextContent()).isEqualTo("b");
        assertThat(xml.getElementsByTagName("securePort").item(0).getTextContent())
                .isEqualTo("9443");
        assertThat(xml.getElementsByTagName("securePort")
                        .item(0)
                        .getAttributes()
                        .getNamedItem("enabled")
                        .getTextContent())
                .isEqualTo("true");
        assertThat(xml.getElementsByTagName("overriddenstatus").getLength()).isEqualTo(1);
    }

    private static Document xml(Reply reply) {
        assertThat(reply.header("Content-Type")).isEqualTo("application/xml");
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(reply.text().getBytes(StandardCharsets.UTF_8)));
        } catch (Exception e) {
            throw new AssertionError(reply.text(), e);
        }
    }

    @Test
    void xmlIsTakenAndGiven() {
        Reply made = admin.post("/eureka/apps/" + app, """
                <?xml version="1.0"?><instance><hostName>xml.example</hostName><app>%s</app><ipAddr>10.0.0.2</ipAddr>
                <vipAddress>%s</vipAddress><status>STARTING</status><port enabled="true">81</port>
                <dataCenterInfo class="com.netflix.appinfo.MyDataCenterInfo"><name>MyOwn</name></dataCenterInfo>
                <leaseInfo><durationInSecs>20</durationInSecs></leaseInfo>
                <metadata><zone>x</zone></metadata></instance>""".formatted(app, service));
        assertThat(made.status()).as(made.text()).isEqualTo(204);
        JsonNode shown = shown("xml.example");
        assertThat(shown.get("status").asText()).isEqualTo("STARTING");
        assertThat(shown.get("port").get("$").asInt()).isEqualTo(81);
        assertThat(shown.at("/leaseInfo/durationInSecs").asInt()).isEqualTo(20);
        assertThat(shown.get("metadata").get("zone").asText()).isEqualTo("x");
        Reply all = node.anonymous().get("/eureka/apps");
        assertThat(xml(all).getElementsByTagName("apps__hashcode").getLength()).isEqualTo(1);
        for (String bad : List.of(
                "<instance>",
                "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><instance>&e;</instance>",
                "<a>".repeat(1000),
                "<instance/>")) {
            Reply refused = admin.post("/eureka/apps/" + app, bad);
            assertThat(refused.status()).as(bad).isEqualTo(400);
            assertThat(refused.text()).doesNotContain("root:");
        }
    }

    @Test
    void heartbeatsRenewAndUnknownInstancesMustRegisterAgain() {
        assertThat(admin.put("/eureka/apps/" + app + "/i", "").status()).isEqualTo(404);
        ObjectNode body = instance(app, "i");
        ((ObjectNode) body.at("/instance/leaseInfo")).put("durationInSecs", 5);
        register(body);
        long revision = admin.get("/config/nothing").revision();
        Reply beat = admin.put("/eureka/apps/" + app + "/i?status=UP&lastDirtyTimestamp=1000", "");
        assertThat(beat.status()).isEqualTo(200);
        assertThat(beat.text()).isEmpty();
        assertThat(register(body).status()).as("the same again is a heartbeat").isEqualTo(204);
        assertThat(admin.get("/config/nothing").revision()).isEqualTo(revision);
        assertThat(admin.put("/eureka/apps/" + app + "/i?lastDirtyTimestamp=2000", "")
                        .status())
                .as("the client has changed")
                .isEqualTo(404);
        // the lease ends: it is not listed, and comes back with a heartbeat
        await().atMost(Duration.ofSeconds(20))
                .until(() -> json.get("/eureka/apps/" + app).status() == 404);
        assertThat(delta().get("i")).isEqualTo("DELETED");
        assertThat(admin.put("/eureka/apps/" + app + "/i", "").status()).isEqualTo(200);
        await().until(() -> json.get("/eureka/apps/" + app).status() == 200);
        assertThat(delta().get("i")).isNotEqualTo("DELETED");
        assertThat(admin.delete("/eureka/apps/" + app + "/i").status()).isEqualTo(200);
        assertThat(admin.delete("/eureka/apps/" + app + "/i").status()).isEqualTo(404);
    }

    /** Returns the actions in the delta by instance, for the application of this test. */
    private Map<String, String> delta() {
        Map<String, String> actions = new HashMap<>();
        await().untilAsserted(() ->
                assertThat(json.get("/eureka/apps/delta").status()).isEqualTo(200));
        listed(json.get("/eureka/apps/delta")).stream()
                .filter(i -> i.get("app").asText().equals(app))
                .forEach(i -> actions.put(
                        i.get("instanceId").asText(), i.get("actionType").asText()));
        return actions;
    }

    @Test
    void anOverrideHoldsAgainstHeartbeatsAndRegistrations() {
        register("i");
        assertThat(admin.put("/eureka/apps/" + app + "/i/status?value=OUT_OF_SERVICE", "")
                        .status())
                .isEqualTo(200);
        assertThat(delta().get("i")).as("clients may leave out what is ADDED").isEqualTo("MODIFIED");
        admin.put("/eureka/apps/" + app + "/i", "");
        register("i");
        assertThat(shown("i").get("status").asText()).isEqualTo("OUT_OF_SERVICE");
        assertThat(shown("i").get("overriddenStatus").asText()).isEqualTo("OUT_OF_SERVICE");
        assertThat(node.anonymous().get("/registry/" + service + "/instances").text())
                .contains("\"status\":\"stopping\"");
        assertThat(admin.delete("/eureka/apps/" + app + "/i/status?value=UP").status())
                .isEqualTo(200);
        assertThat(shown("i").get("status").asText()).isEqualTo("UP");
        assertThat(shown("i").get("overriddenStatus").asText()).isEqualTo("UNKNOWN");
        assertThat(admin.put("/eureka/apps/" + app + "/i/metadata?a=1&zone=c", "")
                        .status())
                .isEqualTo(200);
        assertThat(shown("i").get("metadata").toString()).isEqualTo("{\"zone\":\"c\",\"a\":\"1\"}");
        for (String path : List.of("/status?value=SIDEWAYS", "/status", "/metadata?a=" + "x".repeat(1001))) {
            assertThat(admin.put("/eureka/apps/" + app + "/i" + path, "").status())
                    .as(path)
                    .isEqualTo(400);
        }
        for (String path : List.of("/status?value=UP", "/metadata?a=1")) {
            assertThat(admin.put("/eureka/apps/" + app + "/none" + path, "").status())
                    .as(path)
                    .isEqualTo(404);
        }
    }

    @Test
    void aRegistrationTakesNothingOutOfService() {
        register("i");
        ObjectNode body = instance(app, "i");
        ((ObjectNode) body.get("instance")).put("status", "OUT_OF_SERVICE");
        register(body);
        assertThat(shown("i").get("status").asText()).isEqualTo("UP");
        ((ObjectNode) body.get("instance")).put("instanceId", "new");
        register(body);
        assertThat(shown("new").get("status").asText()).isEqualTo("OUT_OF_SERVICE");
    }

    @Test
    void theDeltaOverWhatAClientHasIsAllThereIs() {
        Map<String, JsonNode> client = new TreeMap<>();
        listed(json.get("/eureka/apps/")).forEach(i -> client.put(key(i), i));
        for (int i = 0; i < 5; i++) {
            register("d" + i);
        }
        admin.put("/eureka/apps/" + app + "/d1/status?value=DOWN", "");
        admin.delete("/eureka/apps/" + app + "/d2");
        await().untilAsserted(() ->
                assertThat(json.get("/eureka/apps/delta").status()).isEqualTo(200));
        Reply delta = json.get("/eureka/apps/delta");
        for (JsonNode changed : listed(delta)) {
            if (changed.get("actionType").asText().equals("DELETED")) {
                client.remove(key(changed));
            } else {
                client.put(key(changed), changed);
            }
        }
        Map<String, Integer> counts = new TreeMap<>();
        client.values().forEach(i -> counts.merge(i.get("status").asText(), 1, Integer::sum));
        StringBuilder hash = new StringBuilder();
        counts.forEach(
                (status, count) -> hash.append(status).append('_').append(count).append('_'));
        assertThat(delta.json().at("/applications/apps__hashcode").asText()).isEqualTo(hash.toString());
    }

    private static String key(JsonNode instance) {
        return instance.get("app").asText() + "/" + instance.get("instanceId").asText();
    }

    @Test
    void badRegistrationsSayWhatIsWrong() {
        Map<String, String> broken = Map.of(
                "/hostName", "\"not a host\"",
                "/port", "{\"$\":99999,\"@enabled\":\"true\"}",
                "/status", "\"SIDEWAYS\"",
                "/dataCenterInfo", "null",
                "/countryId", "\"x\"",
                "/instanceId", "\"a b\"",
                "/metadata", "{\"a\":\"" + "x".repeat(2000) + "\"}",
                "/leaseInfo", "{\"durationInSecs\":\"soon\"}");
        broken.forEach((field, value) -> {
            ObjectNode body = instance(app, "i");
            ((ObjectNode) body.get("instance")).set(field.substring(1), Json.read(value));
            Reply refused = register(body);
            assertThat(refused.status()).as(field + refused.text()).isEqualTo(400);
            assertThat(refused.header("Content-Type")).startsWith("text/plain");
            assertThat(refused.text()).isNotEmpty();
        });
        for (String body : List.of("", "[]", "{}", "null", "{\"instance\":[]}", "{\"instance\":{}}")) {
            assertThat(admin.post("/eureka/apps/" + app, body).status())
                    .as(body)
                    .isEqualTo(400);
        }
        assertThat(admin.post("/eureka/apps/b%20d", Json.write(instance("b d", "i")))
                        .status())
                .isEqualTo(400);
        Reply anonymous = node.anonymous().post("/eureka/apps/" + app, Json.write(instance(app, "i")));
        assertThat(anonymous.status()).isEqualTo(401);
        assertThat(anonymous.text()).isEmpty();
        assertThat(anonymous.header("WWW-Authenticate")).startsWith("Basic");
        Api any = node.admin().undescribed();
        assertThat(any.post("/eureka/peerreplication/batch/", "{}").status()).isEqualTo(404);
        assertThat(any.post("/eureka/peerreplication/batch/", "{}").text()).isEmpty();
    }

    @Test
    void whatClientsCannotReadIsRefusedOrLeftOut() {
        Map.of("countryId", "99999999999", "leaseInfo", "{\"renewalIntervalInSecs\":999999999999}")
                .forEach((field, value) -> {
                    ObjectNode body = instance(app, "i");
                    ((ObjectNode) body.get("instance")).set(field, Json.read(value));
                    assertThat(register(body).status()).as(field).isEqualTo(400);
                });
        admin.post(
                "/registry/register",
                "{\"service_name\":\"" + service + "\",\"service_url\":\"http://x:1\",\"instance_id\":\"odd\","
                        + "\"metadata\":{\"@a=\\\"1\\\"><evil/><z b\":\"v\",\"$\":\"y\",\"@class\":\"c\",\"ok\":\"1\"}}");
        Document one = xml(node.anonymous().get("/eureka/apps/" + app));
        assertThat(one.getElementsByTagName("evil").getLength()).isZero();
        assertThat(one.getElementsByTagName("metadata").item(0).getTextContent())
                .isEqualTo("1");
        xml(node.anonymous().get("/eureka/apps"));
        // two services whose names differ by case are one application, which has an id once
        for (String name : List.of(service, service.replace("app", "App"))) {
            admin.post(
                    "/registry/register",
                    "{\"service_name\":\"" + name + "\",\"service_url\":\"http://x:2\",\"instance_id\":\"twice\"}");
        }
        assertThat(json.get("/eureka/apps/" + app).text().split("\"instanceId\":\"twice\"", -1))
                .hasSize(2);
    }

    @Test
    void urlsAreShownWithoutSecrets() {
        ObjectNode body = instance(app, "i");
        ((ObjectNode) body.get("instance"))
                .put("healthCheckUrl", "http://admin:s3cret@h1:8080/health?token=tok")
                .put("homePageUrl", "http://u:p4ss@h1/");
        register(body);
        String shown = json.get("/eureka/apps/" + app).text();
        assertThat(shown)
                .contains("\"http://h1:8080/health\"")
                .doesNotContain("s3cret")
                .doesNotContain("p4ss");
        assertThat(shown).doesNotContain("tok\"");
    }

    @Test
    void entriesOfMetadataThatAreSetTogetherAreAllKept() {
        register("i");
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String path = "/eureka/apps/" + app + "/i/metadata?k" + i + "=v";
            writers.add(new Thread(() -> admin.put(path, "")));
        }
        writers.forEach(Thread::start);
        for (Thread writer : writers) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        assertThat(shown("i").get("metadata").size()).isEqualTo(9);
        assertThat(admin.put("/eureka/apps/" + app + "/i/metadata?a%00b=v", "").status())
                .isEqualTo(400);
    }

    @Test
    void whoDoesNotSayWhenItRegisteredIsNotSentToRegisterAgain() {
        ObjectNode body = instance(app, "i");
        ((ObjectNode) body.get("instance")).remove("lastDirtyTimestamp");
        register(body);
        assertThat(admin.put("/eureka/apps/" + app + "/i?status=UP&lastDirtyTimestamp=1795713822000", "")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void aKeyForOneServiceRegistersItWhateverTheCase() {
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"e-" + id + "\",\"rights\":[\"registry:write\"],\"service_names\":[\"App-" + id
                                + "\"]}")
                .field("key");
        Api mine = node.anonymous()
                .with(
                        "Authorization",
                        "Basic "
                                + java.util.Base64.getEncoder()
                                        .encodeToString(("eureka:" + key).getBytes(StandardCharsets.UTF_8)));
        assertThat(mine.post("/eureka/apps/" + app, Json.write(instance(app, "i")))
                        .status())
                .isEqualTo(204);
        assertThat(node.anonymous().get("/registry/App-" + id).status()).isEqualTo(200);
        assertThat(mine.put("/eureka/apps/" + app + "/i", "").status()).isEqualTo(200);
        // also where there is a service already whose name differs by case alone
        admin.post(
                "/registry/register",
                "{\"service_name\":\"" + service + "\",\"service_url\":\"http://x:1\",\"instance_id\":\"i\"}");
        assertThat(mine.post("/eureka/apps/" + app, Json.write(instance(app, "j")))
                        .status())
                .isEqualTo(204);
        assertThat(mine.put("/eureka/apps/" + app + "/j", "").status()).isEqualTo(200);
        assertThat(mine.put("/eureka/apps/" + app + "/i", "").status()).isEqualTo(200);
        assertThat(mine.post("/eureka/apps/OTHER", Json.write(instance("OTHER", "i")))
                        .status())
                .isEqualTo(403);
        assertThat(json.get("/eureka/apps/" + app).text()).contains("\"app\":\"" + app + "\"");
    }

    @Test
    void answersAreCompressedForWhoAsks() {
        for (int i = 0; i < 20; i++) {
            register("c" + i);
        }
        for (String path : List.of("/eureka/apps", "/eureka/apps/delta")) {
            await().until(() -> json.get(path).status() == 200);
            Reply compressed =
                    json.undescribed().with("Accept-Encoding", "gzip").get(path);
            assertThat(compressed.header("Content-Encoding")).isEqualTo("gzip");
        }
    }

    @Test
    void anEdgeAnswersAndPassesWritesOnAndARestartKnowsTheDelta() {
        try (TestNode core = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            try (TestNode edge = core.edge(Map.of())) {
                Api there = edge.admin().with("Accept", "application/json");
                assertThat(there.post("/eureka/apps/" + app, Json.write(instance(app, "i")))
                                .status())
                        .isEqualTo(204);
                assertThat(there.put("/eureka/apps/" + app + "/i", "").status()).isEqualTo(200);
                await().untilAsserted(() ->
                        assertThat(there.get("/eureka/apps/delta").text()).contains("\"instanceId\":\"i\""));
                assertThat(there.get("/eureka/apps/" + app).text())
                        .isEqualTo(core.anonymous()
                                .with("Accept", "application/json")
                                .get("/eureka/apps/" + app)
                                .text());
            }
            try (TestNode later = core.join()) {
                Api there = later.anonymous().with("Accept", "application/json");
                await().untilAsserted(() ->
                        assertThat(there.get("/eureka/apps/delta").text()).contains("\"instanceId\":\"i\""));
            }
        }
    }

    @Test
    void itCanBeSwitchedOff() {
        try (TestNode without = TestNode.start(Map.of("CS_FACADES_EUREKA", "false", "CS_REDIS_URI", ""))) {
            assertThat(without.anonymous().undescribed().get("/eureka/apps").status())
                    .isEqualTo(404);
        }
    }
}
