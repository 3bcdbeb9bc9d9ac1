package dev.configservice.facade.ofrep;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** OFREP 0.3, as its clients send it. */
class OfrepTest {
    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final Api anyone = node.anonymous();
    private final String env = "ofrep-" + UUID.randomUUID().toString().substring(0, 8);
    private final String path = "/env/" + env + "/ofrep/v1/evaluate/flags";

    private void flag(String name, String more) {
        Reply created =
                admin.post("/feature-flags", "{\"name\":\"" + name + "\",\"environment\":\"" + env + "\"" + more + "}");
        assertThat(created.status()).as(created.text()).isEqualTo(201);
    }

    private Reply one(String flag, String body) {
        return anyone.post(path + "/" + flag, body);
    }

    private static String user(String id) {
        return "{\"context\":{\"targetingKey\":\"" + id + "\"}}";
    }

    @Test
    void aBooleanFlagIsTrueOrFalseWithItsReason() {
        flag("on", ",\"is_enabled\":true");
        flag("off", ",\"is_enabled\":false");
        flag("nobody", ",\"is_enabled\":true,\"rollout_percentage\":0");

        JsonNode on = one("on", user("u")).json();
        assertThat(on.get("key").asText()).isEqualTo("on");
        assertThat(on.get("value").booleanValue()).isTrue();
        assertThat(on.get("reason").asText()).isEqualTo("STATIC");
        assertThat(on.get("metadata").get("environment").asText()).isEqualTo(env);
        assertThat(on.get("metadata").get("version").asInt()).isEqualTo(1);
        assertThat(on.has("variant")).isFalse();

        JsonNode off = one("off", "{}").json();
        assertThat(off.has("value")).isFalse();
        assertThat(off.get("reason").asText()).isEqualTo("DISABLED");

        assertThat(one("nobody", user("u")).json().get("value").booleanValue()).isFalse();
    }

    @Test
    void variantsKeepTheirTypesAndTheirDigits() {
        for (String value :
                List.of("\"text\"", "10", "5.0", "1e3", "12345678901234567890", "{\"a\":[1,2.50]}", "false")) {
            String name = "v" + Integer.toHexString(value.hashCode());
            flag(name, ",\"is_enabled\":true,\"variants\":[{\"name\":\"only\",\"value\":" + value + ",\"weight\":1}]");
            Reply reply = one(name, user("u"));
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.text())
                    .contains("\"value\":" + value.replace("1e3", "1E+3"))
                    .contains("\"variant\":\"only\"");
        }
        flag(
                "both",
                ",\"is_enabled\":true,\"variants\":[{\"name\":\"a\",\"value\":1,\"weight\":1},{\"name\":\"b\",\"value\":2,\"weight\":1}]");
        assertThat(one("both", user("u")).field("reason"))
                .as("it varies by user")
                .isEqualTo("DEFAULT");
        flag(
                "off-with-variants",
                ",\"is_enabled\":true,\"rollout_percentage\":0,\"variants\":[{\"name\":\"a\",\"value\":\"x\",\"weight\":1}]");
        JsonNode off = one("off-with-variants", user("u")).json();
        assertThat(off.has("value")).isFalse();
        assertThat(off.has("variant")).isFalse();
    }

    @Test
    void failuresAreJsonWithACodeOfOpenFeature() {
        flag("half", ",\"is_enabled\":true,\"rollout_percentage\":50");
        Map<String, Integer> statuses = Map.of("", 400, "{}", 400, "{\"context\":{}}", 400, "{\"context\":null}", 400);
        statuses.forEach((body, status) -> {
            Reply reply = one("half", body);
            assertThat(reply.status()).as(body).isEqualTo(status);
            assertThat(reply.field("errorCode")).as(body).isEqualTo("TARGETING_KEY_MISSING");
            assertThat(reply.field("key")).isEqualTo("half");
        });
        assertThat(one("half", user("u")).status()).isEqualTo(200);
        for (String body : List.of("not json", "[]", "3")) {
            assertThat(one("half", body).field("errorCode")).as(body).isEqualTo("PARSE_ERROR");
        }
        for (String context :
                List.of("[]", "1", "{\"targetingKey\":3}", "{\"targetingKey\":\"" + "x".repeat(1001) + "\"}")) {
            Reply reply = one("half", "{\"context\":" + context + "}");
            assertThat(reply.status()).as(context).isEqualTo(400);
            assertThat(reply.field("errorCode")).as(context).isEqualTo("INVALID_CONTEXT");
        }
        Reply missing = one("no%20such", "{\"unknown\":1}");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.field("errorCode")).isEqualTo("FLAG_NOT_FOUND");
        assertThat(missing.field("key")).isEqualTo("no such");
        assertThat(missing.header("Content-Type")).startsWith("application/json");
    }

    @Test
    void attributesDecide() {
        flag(
                "by-plan",
                ",\"is_enabled\":true,\"rollout_percentage\":0,\"rules\":[{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"in\",\"values\":[\"pro\"]}]}]");
        JsonNode pro = one("by-plan", "{\"context\":{\"targetingKey\":\"u\",\"plan\":\"pro\"}}")
                .json();
        assertThat(pro.get("value").booleanValue()).isTrue();
        assertThat(pro.get("reason").asText()).isEqualTo("TARGETING_MATCH");
        assertThat(one("by-plan", "{\"context\":{\"targetingKey\":\"u\",\"plan\":\"free\"}}")
                        .json()
                        .get("value")
                        .booleanValue())
                .isFalse();
    }

    @Test
    void allFlagsAreSortedAndTheirTagIsThatOfTheAnswer() {
        flag("b", ",\"is_enabled\":true");
        flag("a", ",\"is_enabled\":true,\"rollout_percentage\":50");
        flag("c", ",\"is_enabled\":true,\"target_users\":[\"chosen\"],\"rollout_percentage\":0");
        Reply all = anyone.post(path, user("u"));
        assertThat(all.status()).isEqualTo(200);
        List<String> keys = new ArrayList<>();
        all.json().get("flags").forEach(f -> keys.add(f.get("key").asText()));
        assertThat(keys).containsExactly("a", "b", "c");
        String tag = all.header("ETag");
        assertThat(tag).matches("\"[A-Za-z0-9_-]{22}\"");

        for (String known : List.of(tag, "W/" + tag, tag.replace("\"", ""), "\"other\", " + tag, "*")) {
            Reply same = anyone.with("If-None-Match", known).post(path + "/", user("u"));
            assertThat(same.status()).as(known).isEqualTo(304);
            assertThat(same.header("ETag")).isEqualTo(tag);
        }
        assertThat(anyone.with("If-None-Match", tag).post(path, user("chosen")).status())
                .isEqualTo(200);
        // one that fails does not fail the others
        JsonNode anonymous = anyone.post(path, "").json().get("flags");
        assertThat(anonymous.get(0).get("errorCode").asText()).isEqualTo("TARGETING_KEY_MISSING");
        assertThat(anonymous.get(1).get("value").booleanValue()).isTrue();
    }

    @Test
    void theRevisionOfAnEventIsAwaited() {
        flag("a", ",\"is_enabled\":true");
        long now = anyone.post(path, "").revision();
        assertThat(anyone.post(path + "?flagConfigEtag=" + now + "&flagConfigLastModified=1&x=y", "")
                        .status())
                .isEqualTo(200);
        assertThat(anyone.post(path + "?flagConfigEtag=abc", "").status()).isEqualTo(200);
        Reply ahead = anyone.post(path + "?flagConfigEtag=" + (now + 1_000_000), "");
        assertThat(ahead.status()).isEqualTo(503);
        assertThat(ahead.header("Retry-After")).isEqualTo("1");
        assertThat(ahead.field("errorCode")).isEqualTo("GENERAL");
    }

    @Test
    void theEnvironmentIsThatOfThePathOfTheKeyOrTheDefault() {
        flag("here", ",\"is_enabled\":true");
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"ofrep-" + env + "\",\"rights\":[\"read\"],\"environments\":[\"" + env + "\"]}")
                .field("key");
        String plain = "/ofrep/v1/evaluate/flags/here";
        for (Api app : List.of(
                anyone.key(key),
                anyone.with("Authorization", "Bearer " + key),
                anyone.with("X-API-Key", key),
                // the facade's own header wins
                anyone.with("X-API-Key", key).with("Authorization", "Bearer wrong-key-but-not-used"))) {
            assertThat(app.post(plain, "{}").status()).isEqualTo(200);
        }
        assertThat(anyone.post(plain, "{}").status()).isEqualTo(404);
        assertThat(anyone.key(key)
                        .post("/env/other/ofrep/v1/evaluate/flags/here", "{}")
                        .status())
                .isEqualTo(403);
        Reply wrong = anyone.with("Authorization", "Bearer no-such-key").post(plain, "{}");
        assertThat(wrong.status()).isEqualTo(401);
        assertThat(wrong.field("errorCode")).isEqualTo("GENERAL");
        assertThat(anyone.post("/env/not%20a%20name/ofrep/v1/evaluate/flags/here", "{}")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void whatIsNoRouteIsRefusedInItsOwnWords() {
        Api any = anyone.undescribed();
        for (String base : List.of("/ofrep/v1", "/env/" + env + "/ofrep/v1")) {
            Map<Reply, Integer> refused = Map.of(
                    any.post(base + "/evaluate/flag", "{}"), 404,
                    any.get(base + "/configuration"), 404,
                    any.get(base + "/evaluate/flags/a"), 405,
                    any.delete(base + "/evaluate/flags"), 405);
            refused.forEach((reply, status) -> {
                assertThat(reply.status()).isEqualTo(status);
                assertThat(reply.header("Content-Type")).isEqualTo("application/json");
                assertThat(reply.field("errorCode")).isEqualTo("GENERAL");
            });
        }
        assertThat(any.get("/nothing").header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void itIsCountedByName() {
        flag("counted", ",\"is_enabled\":true");
        one("counted", "{}");
        assertThat(anyone.get("/metrics").text())
                .containsPattern("config_service_http_requests_seconds_count\\{[^}]*facade=\"ofrep\"");
    }

    @Test
    void anEdgeAnswersAsACoreNodeDoes() {
        try (TestNode core = TestNode.start(Map.of("CS_REDIS_URI", ""));
                TestNode edge = core.edge(Map.of())) {
            String name = "{\"name\":\"on\",\"environment\":\"e\",\"is_enabled\":true}";
            long revision = core.admin().post("/feature-flags", name).revision();
            String all = "/env/e/ofrep/v1/evaluate/flags?flagConfigEtag=" + revision;
            Reply there = edge.anonymous().post(all, user("u"));
            assertThat(there.status()).as(there.text()).isEqualTo(200);
            Reply here = core.anonymous().post(all, user("u"));
            assertThat(there.text()).isEqualTo(here.text()).contains("\"key\":\"on\"");
            assertThat(there.header("ETag")).isEqualTo(here.header("ETag"));
        }
    }

    @Test
    void itCanBeSwitchedOff() {
        try (TestNode without = TestNode.start(Map.of("CS_FACADES_OFREP", "false", "CS_REDIS_URI", ""))) {
            assertThat(without.admin()
                            .undescribed()
                            .post("/ofrep/v1/evaluate/flags", "{}")
                            .status())
                    .isEqualTo(404);
        }
    }
}
