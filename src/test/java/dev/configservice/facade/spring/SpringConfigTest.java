package dev.configservice.facade.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.io.StringReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Spring Cloud Config, as its clients ask. */
class SpringConfigTest {
    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final Api anyone = node.anonymous();
    private final String id = UUID.randomUUID().toString().substring(0, 8);
    private final String base = "base-" + id;
    private final String dev = "dev" + id;
    private final String app = "shop-" + id;
    private final String spring = "/env/" + base + "/spring";

    private Reply put(String environment, String service, String key, String value) {
        return put(environment, service, key, value, false);
    }

    private Reply put(String environment, String service, String key, String value, boolean encrypted) {
        Reply made = admin.post(
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

    /** Returns the sources of an answer by name, in order. */
    private static Map<String, JsonNode> sources(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        Map<String, JsonNode> sources = new LinkedHashMap<>();
        reply.json()
                .get("propertySources")
                .forEach(s -> sources.put(s.get("name").asText(), s.get("source")));
        return sources;
    }

    /** Returns what the source of a name holds. */
    private static JsonNode values(Reply reply, String name) {
        return sources(reply).getOrDefault(source(name), MissingNode.getInstance());
    }

    private static String source(String name) {
        return "config-service:/" + name;
    }

    @Test
    void theSourcesOfProfilesComeFirstAndTheLastProfileWins() {
        String prod = "prod" + id;
        for (String environment : List.of(base, dev, prod)) {
            put(environment, app, "own", "\"" + environment + "\"");
            put(environment, "", "shared", "\"" + environment + "\"");
        }
        Reply one = anyone.get(spring + "/" + app + "/" + dev);
        assertThat(sources(one).keySet())
                .containsExactly(
                        source(app + "-" + dev), source("application-" + dev), source(app), source("application"));
        assertThat(one.json().get("name").asText()).isEqualTo(app);
        assertThat(one.json().get("profiles").toString()).isEqualTo("[\"" + dev + "\"]");
        assertThat(one.json().get("label").isNull()).isTrue();
        assertThat(one.json().get("state").isNull()).isTrue();
        for (String comma : List.of(",", "%2C")) {
            assertThat(sources(anyone.get(spring + "/" + app + "/" + dev + comma + prod))
                            .keySet())
                    .containsExactly(
                            source(app + "-" + prod),
                            source("application-" + prod),
                            source(app + "-" + dev),
                            source("application-" + dev),
                            source(app),
                            source("application"));
        }
        assertThat(sources(anyone.get(spring + "/" + app + "/default")).keySet())
                .containsExactly(source(app), source("application"));
        assertThat(sources(anyone.get(spring + "/application/" + dev)).keySet())
                .containsExactly(source("application-" + dev), source("application"));
        // two applications: the last one first, then what they share
        put(base, "other-" + id, "k", "1");
        assertThat(sources(anyone.get(spring + "/" + app + ",other-" + id + "/default"))
                        .keySet())
                .containsExactly(source("other-" + id), source(app), source("application"));
        // a profile that is no environment adds nothing, an application that has nothing sees what all share
        assertThat(sources(anyone.get(spring + "/nobody/kubernetes")).keySet()).containsExactly(source("application"));
        // the base environment as a profile is there once
        assertThat(sources(anyone.get(spring + "/" + app + "/" + base)).keySet())
                .containsExactly(source(app + "-" + base), source("application-" + base));
    }

    @Test
    void theBaseEnvironmentIsASettingOrThatOfThePathOrOfTheKey() {
        try (TestNode other = TestNode.start(Map.of("CS_SPRING_BASE_ENVIRONMENT", "common", "CS_REDIS_URI", ""))) {
            for (String environment : List.of("common", "team")) {
                other.admin()
                        .post(
                                "/config",
                                "{\"key\":\"k\",\"value\":\"" + environment + "\",\"environment\":\"" + environment
                                        + "\"}");
            }
            String key = other.admin()
                    .post("/access/keys", "{\"name\":\"t\",\"rights\":[\"read\"],\"environments\":[\"team\"]}")
                    .field("key");
            Api any = other.anonymous();
            assertThat(any.get("/spring/a/default").text()).contains("\"k\":\"common\"");
            assertThat(any.get("/env/team/spring/a/default").text()).contains("\"k\":\"team\"");
            for (Api withKey : List.of(
                    any.with("X-Config-Token", key),
                    any.with("Authorization", "Basic " + base64("u:" + key)),
                    any.with("Authorization", "Bearer " + key))) {
                assertThat(withKey.get("/spring/a/default").text()).contains("\"k\":\"team\"");
            }
        }
    }

    private static String base64(String text) {
        return java.util.Base64.getEncoder().encodeToString(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Test
    void objectsAndArraysAreTakenApart() {
        put(base, app, "o", "{\"a\":{\"b\":[1,{\"c\":2.50}]},\"none\":[],\"nothing\":{},\"null\":null,\"yes\":true}");
        put(base, app, "list", "[\"x\",\"y\"]");
        put(base, app, "text", "\"{cipher}is shown as it is\"");
        put(base, app, "digits", "12345678901234567890.50");
        put(base, app, "with:colon", "\"c\"");
        Reply reply = anyone.get(spring + "/" + app + "/default");
        JsonNode source = values(reply, app);
        Map<String, String> seen = new LinkedHashMap<>();
        source.properties().forEach(p -> seen.put(p.getKey(), p.getValue().toString()));
        assertThat(seen)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "o.a.b[0]", "1",
                        "o.a.b[1].c", "2.50",
                        "o.none", "\"\"",
                        "o.null", "\"\"",
                        "o.yes", "true",
                        "list[0]", "\"x\"",
                        "list[1]", "\"y\"",
                        "text", "\"{cipher}is shown as it is\"",
                        "digits", "12345678901234567890.50",
                        "with:colon", "\"c\""));
        assertThat(reply.text()).contains("12345678901234567890.50").contains("2.50");
    }

    @Test
    void whatWouldBecomeEndlessWhenTakenApartIsLeftWhole() {
        String name = "n".repeat(9_000);
        put(base, app, "many", "{\"" + name + "\":[" + "1,".repeat(50_000) + "1]}");
        put(base, app, "long", "{\"" + name + "\":{\"" + name + "\":1}}");
        put(base, app, "secret", "{\"" + name + "\":[" + "1,".repeat(50_000) + "1]}", true);
        Reply reply = admin.get(spring + "/" + app + "/default");
        assertThat(reply.text().length()).isLessThan(1_000_000);
        for (String key : List.of("many", "long", "secret")) {
            assertThat(values(reply, app).get(key).isObject()).as(key).isTrue();
        }
        assertThat(anyone.get(spring + "/" + app + "-default.yml").status()).isEqualTo(200);
    }

    @Test
    void theVersionMovesOnlyWithWhatWasUsed() {
        long revision = put(base, app, "k", "1").revision();
        Reply before = anyone.get(spring + "/" + app + "/" + dev);
        assertThat(before.field("version")).isEqualTo(Long.toString(revision));
        put(dev, "another", "k", "1");
        put(base, "another", "k", "1");
        Reply after = anyone.get(spring + "/" + app + "/" + dev);
        assertThat(after.field("version")).isEqualTo(Long.toString(revision));
        assertThat(after.revision()).isGreaterThan(revision);
        assertThat(anyone.with("If-None-Match", before.header("ETag"))
                        .get(spring + "/" + app + "/" + dev)
                        .status())
                .isEqualTo(304);
        Reply shared = put(dev, "", "s", "1");
        Reply moved = anyone.get(spring + "/" + app + "/" + dev);
        assertThat(moved.field("version")).isEqualTo(Long.toString(shared.revision()));
        // what is gone is gone, and has another tag
        admin.delete("/config/" + shared.field("id"));
        Reply gone = anyone.with("If-None-Match", moved.header("ETag")).get(spring + "/" + app + "/" + dev);
        assertThat(gone.status()).isEqualTo(200);
        // a source that becomes empty is shown empty for a while: clients keep what they have of one that is gone
        assertThat(sources(gone).keySet()).containsExactly(source("application-" + dev), source(app));
        assertThat(values(gone, "application-" + dev).isEmpty()).isTrue();
    }

    @Test
    void encryptedValuesAreOpenedForWhoMaySeeThemAndLeftOutForOthers() {
        put(base, app, "plain", "1");
        String password =
                put(base, app, "password", "\"hidden-" + id + "\"", true).field("id");
        put(base, app, "pair", "{\"user\":\"u\",\"pin\":[1]}", true);
        String path = spring + "/" + app + "/default";
        Reply masked = anyone.get(path);
        assertThat(values(masked, app).toString()).isEqualTo("{\"plain\":1}");
        assertThat(masked.header("X-Config-Withheld")).isEqualTo("2");
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"s-" + id + "\",\"rights\":[\"read\",\"secrets:read\"],\"service_names\":[\"" + app
                                + "\"]}")
                .field("key");
        Reply open = anyone.with("X-Config-Token", key).get(path);
        assertThat(open.header("Cache-Control")).isEqualTo("no-store");
        assertThat(open.header("X-Config-Withheld")).isEmpty();
        JsonNode source = values(open, app);
        assertThat(source.get("password").asText()).isEqualTo("hidden-" + id);
        assertThat(source.get("pair.user").asText()).isEqualTo("u");
        assertThat(source.get("pair.pin[0]").asInt()).isEqualTo(1);
        assertThat(open.header("ETag")).isNotEqualTo(masked.header("ETag"));
        Reply document = anyone.with("X-Config-Token", key).get(spring + "/" + app + "-default.properties");
        assertThat(document.text()).contains("password: hidden-" + id);
        assertThat(document.header("Cache-Control")).isEqualTo("no-store");
        assertThat(anyone.get(spring + "/" + app + "-default.properties").text())
                .isEqualTo("plain: 1\n");
        await().untilAsserted(() -> assertThat(admin.get("/audit?resource_type=secret_read&environment=" + base)
                        .text())
                .contains("\"resource_id\":\"" + password + "\""));
        // a source that holds nothing else is left out
        put(dev, app, "only", "\"x\"", true);
        assertThat(sources(anyone.get(spring + "/" + app + "/" + dev)).keySet()).containsExactly(source(app));
    }

    @Test
    void labelsThatMeanNowAreTakenAndOthersAreNotFound() {
        put(base, app, "k", "1");
        for (String label : List.of("main", "master", "latest")) {
            assertThat(anyone.get(spring + "/" + app + "/default/" + label).field("label"))
                    .isEqualTo(label);
            assertThat(anyone.get(spring + "/" + label + "/" + app + "-default.yml")
                            .text())
                    .isEqualTo("k: 1\n");
        }
        for (String label : List.of("v1", "feature(_)x", "r1")) {
            isRefused(404, spring + "/" + app + "/default/" + label);
            isRefused(404, spring + "/" + label + "/" + app + "-default.yml");
        }
    }

    private void isRefused(int status, String path) {
        isRefused(status, path, anyone.undescribed().get(path));
    }

    private static void isRefused(int status, String path, Reply reply) {
        assertThat(reply.status()).as(path + " " + reply.text()).isEqualTo(status);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        List<String> members = new ArrayList<>();
        reply.json().fieldNames().forEachRemaining(members::add);
        assertThat(members).containsExactly("timestamp", "status", "error", "message", "path");
        assertThat(reply.json().get("status").asInt()).isEqualTo(status);
    }

    @Test
    void whatIsNotServedIsRefusedInTheFormOfSpring() {
        put(base, app, "k", "1");
        for (String path : List.of(
                "/" + app,
                "/shop.yml",
                "/-default.yml",
                "/" + app + "-.yml",
                "/" + app + "/default/main/file.txt",
                "/key")) {
            isRefused(404, spring + path);
        }
        for (String path : List.of("/encrypt", "/decrypt")) {
            isRefused(404, path, anyone.undescribed().post(spring + path, "x"));
        }
        isRefused(405, "delete", anyone.undescribed().delete(spring + "/" + app + "/default"));
        for (String bad : List.of(
                "/" + app + "/b%C3%A4d",
                "/" + app + "/..",
                "/" + app + "/a%2Fb",
                "/../default",
                "/" + app + "/" + "x".repeat(101),
                "/" + app + "/a,,b",
                "/" + app + "/,",
                "/a,b,c,d,e,f,g,h,i,j,k,l/default")) {
            isRefused(400, spring + bad);
        }
        StringBuilder many = new StringBuilder("p0");
        for (int i = 1; i < 40; i++) {
            many.append(",p").append(i);
        }
        isRefused(400, spring + "/" + app + "/" + many);
        isRefused(401, "", anyone.undescribed().with("X-Config-Token", "wrong").get(spring + "/" + app + "/default"));
        assertThat(anyone.get("/nothing").header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void anEnvironmentOutOfReachIsRefusedUnlessNothingIsThere() {
        put(dev, app, "k", "1");
        put(base, app, "k", "1");
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"r-" + id + "\",\"rights\":[\"read\"],\"environments\":[\"" + dev + "\"]}")
                .field("key");
        Api limited = anyone.with("X-Config-Token", key);
        Reply refused = limited.get(spring + "/" + app + "/" + dev);
        isRefused(403, "", refused);
        assertThat(refused.field("message")).contains(base);
        assertThat(sources(limited.get("/env/nothing-" + id + "/spring/" + app + "/" + dev + ",kubernetes"))
                        .keySet())
                .containsExactly(source(app + "-" + dev));
        // where nothing is in reach, an empty answer would look as if there were nothing
        isRefused(403, "", limited.get("/env/nothing-" + id + "/spring/nobody/elsewhere"));
    }

    @Test
    void documentsHoldWhatTheSourcesHoldTogether() throws IOException {
        put(dev, app, "a", "1");
        put(dev, app, "a.b", "2");
        put(dev, app, "list", "[\"own\"]");
        put(base, app, "list", "[\"x\",\"y\"]");
        put(base, app, "empty", "[\"z\"]");
        put(dev, app, "empty", "[]");
        put(base, app, "url", "\"http://${host}:${port:8080}/${missing}\"");
        put(base, "", "host", "\"${name:nobody}.example\"");
        put(base, "", "name", "\"${first}${last:}\"");
        put(base, "", "first", "\"db\"");
        put(base, "", "loop", "\"${loop}\"");
        put(base, "", "inner", "\"${${which}}\"");
        put(base, "", "which", "\"first\"");
        put(
                base,
                app,
                "types",
                "{\"no\":\"no\",\"n\":\"12\",\"d\":\"2020-01-01\",\"nil\":\"null\",\"yes\":true,\"f\":5.0}");
        put(base, app, "lines", "\"one\\ntwo \\\\ three\"");

        String path = spring + "/" + app + "-" + dev;
        Reply json = anyone.get(path + ".json");
        assertThat(json.header("Content-Type")).isEqualTo("application/json");
        JsonNode document = json.json();
        assertThat(document.get("a").asInt()).isEqualTo(1);
        assertThat(document.get("a.b").asInt()).isEqualTo(2);
        assertThat(document.get("list").toString()).isEqualTo("[\"own\"]");
        assertThat(document.get("empty").asText()).isEmpty();
        assertThat(document.has("empty[0]")).isFalse();
        assertThat(document.get("url").asText()).isEqualTo("http://db.example:8080/${missing}");
        assertThat(document.get("loop").asText()).isEqualTo("${loop}");
        assertThat(document.get("inner").asText()).isEqualTo("db");
        assertThat(document.at("/types/f").toString()).isEqualTo("5.0");

        Reply yaml = anyone.get(path + ".yml");
        assertThat(yaml.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(new YAMLMapper().readTree(yaml.text()).toString()).isEqualTo(document.toString());
        assertThat(yaml.text()).contains(": \"no\"").contains(": \"12\"").contains("nil: \"null\"");
        assertThat(anyone.get(path + ".yaml").text()).isEqualTo(yaml.text());

        Properties properties = new Properties();
        Reply lines = anyone.get(path + ".properties");
        properties.load(new StringReader(lines.text()));
        assertThat(properties.getProperty("lines")).isEqualTo("one\ntwo \\ three");
        assertThat(properties.getProperty("a.b")).isEqualTo("2");
        assertThat(properties.getProperty("list[0]")).isEqualTo("own");
        assertThat(lines.text()).contains("a.b: 2\n").contains("types.yes: true\n");

        assertThat(anyone.get(path + ".json?resolvePlaceholders=false")
                        .json()
                        .get("url")
                        .asText())
                .isEqualTo("http://${host}:${port:8080}/${missing}");
    }

    @Test
    void placeholdersThatStandForEndlessTextAreRefused() {
        put(base, app, "p0", "\"" + "x".repeat(1000) + "\"");
        for (int i = 1; i < 30; i++) {
            put(base, app, "p" + i, "\"${p" + (i - 1) + "}${p" + (i - 1) + "}\"");
        }
        isRefused(409, "", anyone.get(spring + "/" + app + "-default.yml"));
        assertThat(anyone.get(spring + "/" + app + "/default").status()).isEqualTo(200);
    }

    @Test
    void aValueThatIsWithheldLetsNoWeakerOneShowThrough() {
        put(dev, app, "db", "\"hidden\"", true);
        put(base, app, "db", "\"weaker\"");
        put(base, app, "db.user", "\"weaker\"");
        put(base, app, "dbx", "\"stays\"");
        String path = spring + "/" + app + "/" + dev;
        assertThat(values(anyone.get(path), app).toString()).isEqualTo("{\"dbx\":\"stays\"}");
        assertThat(anyone.get(spring + "/" + app + "-" + dev + ".properties").text())
                .isEqualTo("dbx: stays\n");
        // opened, it counts; and a key of its own counts more than a part of another value
        put(dev, app, "pair", "{\"a\":\"sealed\",\"b\":\"sealed\"}", true);
        put(dev, app, "pair.b", "\"own\"");
        JsonNode open = values(admin.get(path), app + "-" + dev);
        assertThat(open.get("db").asText()).isEqualTo("hidden");
        assertThat(open.get("pair.a").asText()).isEqualTo("sealed");
        assertThat(open.get("pair.b").asText()).isEqualTo("own");
        assertThat(admin.get(path).text().split("\"pair.b\"", -1)).hasSize(2);
    }

    @Test
    void sourcesNeverShareAName() {
        put(dev, "", "k", "1");
        put(base, "application-" + dev, "k", "2");
        Reply reply = anyone.get(spring + "/application-" + dev + "/" + dev);
        assertThat(sources(reply)).hasSize(reply.json().get("propertySources").size());
    }

    @Test
    void oddNamesOfDocumentsAreRefusedSoon() {
        for (String name : List.of("a-,".repeat(3000), "a-".repeat(400), "a,".repeat(400) + "-x")) {
            long began = System.nanoTime();
            Reply reply = anyone.undescribed().get("/spring/" + name + ".yml");
            assertThat(reply.status()).isIn(400, 404, 200);
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
        }
        String deep = String.join(".", java.util.Collections.nCopies(4000, "a"));
        put(base, app, "deep", "{\"" + deep + "\":1}");
        for (String ending : List.of(".json", ".yml", ".properties")) {
            assertThat(anyone.get(spring + "/" + app + "-default" + ending).status())
                    .as(ending)
                    .isEqualTo(200);
        }
    }

    @Test
    void anEnvironmentWithHyphensIsFoundInTheNameOfADocument() {
        String environment = "pre-prod-" + id;
        put(environment, "", "k", "\"pre\"");
        assertThat(anyone.get("/env/" + base + "/spring/" + app + "-" + environment + ".properties")
                        .text())
                .isEqualTo("k: pre\n");
    }

    @Test
    void manyConfigurationsAreAnsweredFromPartsAndAnEdgeAnswersTheSame() {
        try (TestNode core = TestNode.start(Map.of("CS_REDIS_URI", ""));
                TestNode edge = core.edge(Map.of())) {
            long revision = 0;
            for (int i = 0; i < 1500; i++) {
                revision = core.admin()
                        .post("/config", "{\"key\":\"k" + i + "\",\"value\":" + i + ",\"environment\":\"default\"}")
                        .revision();
            }
            Reply here = core.anonymous().get("/spring/a/default");
            assertThat(values(here, "application").size()).isEqualTo(1500);
            Reply there = edge.anonymous()
                    .with("X-Min-Revision", Long.toString(revision))
                    .get("/spring/a/default");
            assertThat(there.text()).isEqualTo(here.text());
            assertThat(there.header("ETag")).isEqualTo(here.header("ETag"));
            assertThat(core.anonymous().get("/metrics").text())
                    .containsPattern("config_service_http_requests_seconds_count\\{[^}]*facade=\"spring\"");
        }
    }

    @Test
    void itCanBeSwitchedOff() {
        try (TestNode without = TestNode.start(Map.of("CS_FACADES_SPRING", "false", "CS_REDIS_URI", ""))) {
            Reply none = without.anonymous().undescribed().get("/spring/a/default");
            assertThat(none.status()).isEqualTo(404);
            assertThat(none.header("Content-Type")).isEqualTo("application/problem+json");
        }
    }
}
