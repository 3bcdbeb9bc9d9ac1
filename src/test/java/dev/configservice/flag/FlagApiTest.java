package dev.configservice.flag;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class FlagApiTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private Reply create(String name, String more) {
        Reply reply = admin.post(
                "/feature-flags/", "{\"name\":\"" + name + "\",\"environment\":\"" + env + "\"" + more + "}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        return reply;
    }

    private Reply evaluate(String name, String more) {
        return anyone.post(
                "/feature-flags/evaluate",
                "{\"flag_name\":\"" + name + "\",\"environment\":\"" + env + "\"" + more + "}");
    }

    @Test
    void aRolloutIsRaisedStepByStep() {
        Reply created = create("new_ui_design", ",\"is_enabled\":true,\"rollout_percentage\":10.0");
        List<String> before = usersWith("new_ui_design");
        assertThat(before).hasSizeBetween(1, 40);

        Reply raised = admin.put("/feature-flags/" + created.field("id"), "{\"rollout_percentage\": 50.0}");

        assertThat(raised.status()).isEqualTo(200);
        assertThat(raised.field("version")).isEqualTo("2");
        assertThat(usersWith("new_ui_design")).containsAll(before).hasSizeGreaterThan(before.size());
    }

    private List<String> usersWith(String name) {
        List<String> users = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Reply reply = evaluate(name, ",\"user_id\":\"u" + i + "\"");
            assertThat(reply.field("reason")).isEqualTo("SPLIT");
            if (reply.json().get("enabled").asBoolean()) {
                users.add("u" + i);
            }
        }
        return users;
    }

    @Test
    void anUnknownFlagHasTheDefaultValue() {
        Reply plain = evaluate("unknown", "");
        assertThat(plain.status()).isEqualTo(200);
        assertThat(plain.json().get("enabled").asBoolean()).isFalse();
        assertThat(plain.json().get("value").asBoolean()).isFalse();
        assertThat(plain.json().get("version").isNull()).isTrue();
        assertThat(plain.field("reason")).isEqualTo("FLAG_NOT_FOUND");
        assertThat(evaluate("unknown", ",\"default_value\":true")
                        .json()
                        .get("enabled")
                        .asBoolean())
                .isTrue();
        Reply text = evaluate("unknown", ",\"default_value\":\"x\",\"user_id\":null");
        assertThat(text.json().get("enabled").asBoolean()).isFalse();
        assertThat(text.field("value")).isEqualTo("x");
    }

    @Test
    void rulesSelectVariantsAndAnExplanationListsTheSteps() {
        create("checkout", """
                ,"is_enabled":true,
                "variants":[{"name":"red","value":{"color":"#f00"},"weight":1},{"name":"blue","value":"b","weight":0}],
                "rules":[{"constraints":[{"attribute":"country","operator":"in","values":["de","at"]},
                          {"attribute":"version","operator":"semver_gt","values":["2.0.0"]}],"variant":"blue"},
                         {"constraints":[{"attribute":"staff","operator":"eq","values":[true]}]}]""");

        Reply blue = evaluate("checkout", ",\"context\":{\"country\":\"de\",\"version\":\"2.1.0\"}");
        assertThat(blue.field("variant")).isEqualTo("blue");
        assertThat(blue.field("value")).isEqualTo("b");
        assertThat(blue.field("reason")).isEqualTo("TARGETING_MATCH");
        Reply red = evaluate("checkout", ",\"context\":{\"staff\":true}");
        assertThat(red.json().get("value").get("color").asText()).isEqualTo("#f00");
        Reply off = evaluate(
                "checkout", ",\"user_id\":\"u\",\"context\":{\"country\":\"fr\",\"odd\":[1]},\"explain\":true");
        assertThat(off.json().get("enabled").asBoolean()).isFalse();
        assertThat(off.json().get("steps").size()).isGreaterThanOrEqualTo(3);
        assertThat(off.json().get("steps").get(0).get("result").asText()).contains("country");
    }

    @Test
    void flagsThatCannotBeEvaluatedAreRefusedWhenWritten() {
        Reply reply = admin.post("/feature-flags", "{\"name\":\"bad\",\"environment\":\"" + env + """
                        ","rollout_percentage":12.345,
                        "variants":[{"name":"a","value":1,"weight":0}],
                        "rules":[{"constraints":[{"attribute":"x","operator":"matches","values":["(?=a)"]},
                                  {"attribute":"x","operator":"like","values":["a"]}],"variant":"zzz"}],
                        "prerequisites":[7],"unknown_field":1}""");

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.wrongFields())
                .containsExactlyInAnyOrder(
                        "unknown_field",
                        "rollout_percentage",
                        "variants",
                        "rules[0].variant",
                        "rules[0].constraints[0].values",
                        "rules[0].constraints[1].operator",
                        "prerequisites[0]");
    }

    @Test
    void anUpdateThatMakesAnotherFieldInvalidIsRefused() {
        String path = "/feature-flags/"
                + create(
                                "kept",
                                ",\"variants\":[{\"name\":\"a\",\"value\":1,\"weight\":1}],"
                                        + "\"rules\":[{\"constraints\":[],\"variant\":\"a\"}]")
                        .field("id");

        assertThat(admin.put(path, "{\"variants\":[]}").wrongFields()).containsExactly("rules[0].variant");
        assertThat(admin.put(path, "{\"variants\":null,\"rules\":null}").status())
                .isEqualTo(200);
        ObjectNode read = (ObjectNode) admin.get(path).json();
        read.put("owner", "team-a");
        assertThat(admin.put(path, Json.write(read)).field("owner")).isEqualTo("team-a");
        assertThat(admin.put(path, "{\"name\":\"other\"}").wrongFields()).containsExactly("name");
        assertThat(admin.put(path, "{\"is_enabled\":null}").wrongFields()).containsExactly("is_enabled");
    }

    @Test
    void aCycleOfPrerequisitesIsRefused() {
        create("one", ",\"is_enabled\":true");
        create("two", ",\"is_enabled\":true,\"prerequisites\":[\"one\"]");
        String one = admin.get("/feature-flags?name=one&environment=" + env)
                .json()
                .get("items")
                .get(0)
                .get("id")
                .asText();

        assertThat(admin.put("/feature-flags/" + one, "{\"prerequisites\":[{\"flag_name\":\"two\"}]}")
                        .wrongFields())
                .containsExactly("prerequisites");
        assertThat(evaluate("two", "").json().get("enabled").asBoolean()).isTrue();
    }

    @Test
    void aBulkEvaluationReturnsAllFlagsOrTheNamedOnes() {
        create("b1", ",\"is_enabled\":true");
        create("b2", "");

        JsonNode all = anyone.post("/feature-flags/evaluate/bulk", "{\"environment\":\"" + env + "\"}")
                .json()
                .get("items");
        assertThat(all.size()).isEqualTo(2);
        assertThat(all.get("b1").get("enabled").asBoolean()).isTrue();
        JsonNode named = anyone.post(
                        "/feature-flags/evaluate/bulk",
                        "{\"environment\":\"" + env + "\",\"flag_names\":[\"b2\",\"b3\"],\"user_id\":\"u\"}")
                .json()
                .get("items");
        assertThat(named.get("b2").get("reason").asText()).isEqualTo("DISABLED");
        assertThat(named.get("b3").get("reason").asText()).isEqualTo("FLAG_NOT_FOUND");
        assertThat(anyone.post(
                                "/feature-flags/evaluate/bulk",
                                "{\"environment\":\"" + env + "\",\"flag_names\":[\"b2\",\"b1\",\"b2\"]}")
                        .text())
                .isEqualTo("{\"items\":{\"b2\":" + evaluate("b2", "").text() + ",\"b1\":"
                        + evaluate("b1", "").text() + "}}");
        assertThat(anyone.post("/feature-flags/evaluate/bulk", "{\"environment\":\"" + env + "\",\"flag_names\":[]}")
                        .text())
                .isEqualTo("{\"items\":{}}");
    }

    @Test
    void concurrentEvaluationsDoNotMixUpTheirUsers() {
        create("many", ",\"is_enabled\":true,\"target_users\":[\"u7\"]");
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int user = i % 10;
            replies.add(CompletableFuture.supplyAsync(() -> evaluate("many", ",\"user_id\":\"u" + user + "\"")));
        }
        for (int i = 0; i < 200; i++) {
            assertThat(replies.get(i).join().json().get("enabled").asBoolean()).isEqualTo(i % 10 == 7);
        }
    }

    @Test
    void usageIsCountedAndHistoryAndRollbackWorkAsForConfigurations() {
        Reply created = create("used", ",\"is_enabled\":true,\"tags\":[\"ui\",\"beta\"]");
        String path = "/feature-flags/" + created.field("id");
        for (int i = 0; i < 3; i++) {
            evaluate("used", "");
        }
        Reply usage = anyone.get(path + "/usage");
        assertThat(usage.json().get("items").get(0).get("evaluations").asInt()).isEqualTo(3);
        assertThat(usage.json().get("items").get(0).get("reason").asText()).isEqualTo("DEFAULT");
        assertThat(usage.field("last_evaluated_at")).isNotEmpty();
        create("unused", "");
        List<JsonNode> listed = new ArrayList<>();
        admin.get("/feature-flags?usage=true&environment=" + env)
                .json()
                .get("items")
                .forEach(listed::add);
        assertThat(listed)
                .filteredOn(f -> f.get("name").asText().equals("used"))
                .allMatch(f -> f.get("last_evaluated_at").asText().equals(usage.field("last_evaluated_at")))
                .hasSize(1)
                .allMatch(f -> admin.put(path, f.toString()).status() == 200);
        assertThat(listed)
                .filteredOn(f -> f.get("name").asText().equals("unused"))
                .allMatch(f -> f.get("last_evaluated_at").isNull())
                .hasSize(1);
        assertThat(anyone.get("/feature-flags?usage=true&stale=true").text()).contains("usage");

        admin.put(path, "{\"is_enabled\":false}");
        assertThat(evaluate("used", "").field("reason")).isEqualTo("DISABLED");
        JsonNode history = anyone.get(path + "/history").json().get("items");
        assertThat(history.get(0).get("value").get("is_enabled").asBoolean()).isFalse();
        assertThat(admin.post(path + "/rollback", "{\"version\":1}")
                        .json()
                        .get("is_enabled")
                        .asBoolean())
                .isTrue();
        assertThat(admin.delete(path).status()).isEqualTo(204);
        assertThat(evaluate("used", "").field("reason")).isEqualTo("FLAG_NOT_FOUND");
        assertThat(admin.post("/feature-flags", "{\"name\":\"used\",\"environment\":\"" + env + "\"}")
                        .status())
                .isEqualTo(201);
        assertThat(admin.post(path + "/rollback", "{\"version\":1}").status()).isEqualTo(409);
    }

    @Test
    void listsAreFilteredAndStaleFlagsHaveReasons() {
        create("s1", ",\"tags\":[\"ui\"],\"owner\":\"a\",\"expires_at\":\"2020-01-01T00:00:00Z\"");
        create("s2", ",\"tags\":[\"api\"]");

        assertThat(names("&tag=ui")).containsExactly("s1");
        assertThat(names("&owner=a")).containsExactly("s1");
        assertThat(names("&prefix=s")).containsExactly("s1", "s2");
        Reply stale = anyone.get("/feature-flags?stale=true&environment=" + env);
        assertThat(stale.json().get("items").size()).isEqualTo(1);
        assertThat(stale.json().get("items").get(0).get("stale_reasons").get(0).asText())
                .isEqualTo("expired");
    }

    @Test
    void flagsThatAreSettledAndUnusedForThirtyDaysAreStale() {
        Reply settled = create("settled", ",\"is_enabled\":true");
        Reply fractional = create("fractional", ",\"is_enabled\":true,\"rollout_percentage\":50");
        for (Reply flag : List.of(settled, fractional)) {
            TestNode.shared()
                    .sql(
                            "update resources set row = replace(replace(row::text, substring(row ->> 'updated_at' from 1 for"
                                    + " 10), '2020-01-01'), substring(row ->> 'created_at' from 1 for 10), '2020-01-01')::json"
                                    + " where id = '" + flag.field("id") + "'");
        }
        evaluate("fractional", ",\"user_id\":\"u\"");
        anyone.get("/feature-flags/" + fractional.field("id") + "/usage");

        JsonNode stale = anyone.get("/feature-flags?stale=true&environment=" + env)
                .json()
                .get("items");
        assertThat(stale.size()).isEqualTo(1);
        assertThat(stale.get(0).get("name").asText()).isEqualTo("settled");
        assertThat(stale.get(0).get("stale_reasons").toString()).isEqualTo("[\"settled\",\"unused\"]");
    }

    private List<String> names(String filter) {
        List<String> names = new ArrayList<>();
        anyone.get("/feature-flags?environment=" + env + filter)
                .json()
                .get("items")
                .forEach(f -> names.add(f.get("name").asText()));
        return names;
    }

    @Test
    void writingAFlagNeedsTheRightAndTheScope() {
        assertThat(anyone.post("/feature-flags", "{\"name\":\"x\"}").status()).isEqualTo(401);
        Api limited = anyone.key(admin.post(
                        "/access/keys",
                        "{\"name\":\"f\",\"rights\":[\"flags:write\"],\"environments\":[\"" + env + "\"]}")
                .field("key"));
        assertThat(limited.post("/feature-flags", "{\"name\":\"x\",\"environment\":\"" + env + "\"}")
                        .status())
                .isEqualTo(201);
        assertThat(limited.post("/feature-flags", "{\"name\":\"x\",\"environment\":\"other\"}")
                        .status())
                .isEqualTo(403);
    }

    /** A cycle that an earlier version let through can be read, and switched off without mending it first. */
    @Test
    void aCycleThatExistsCanBeShownAndSwitchedOff() {
        String database;
        String id;
        try (TestNode node = TestNode.start(java.util.Map.of())) {
            database = node.setting("CS_POSTGRES_URI");
            id = node.admin()
                    .post("/feature-flags", "{\"name\":\"f\",\"environment\":\"e\",\"is_enabled\":true}")
                    .field("id");
            node.admin()
                    .post(
                            "/feature-flags",
                            "{\"name\":\"g\",\"environment\":\"e\",\"is_enabled\":true,\"prerequisites\":[{\"flag_name\":\"f\"}]}");
            node.sql("update resources set row = (row::jsonb || '{\"prerequisites\":[{\"flag_name\":\"g\"}]}')::json"
                    + " where name = 'f'");
        }
        try (TestNode node = TestNode.start(java.util.Map.of("CS_POSTGRES_URI", database))) {
            assertThat(node.anonymous().get("/feature-flags/" + id).text()).contains("\"flag_name\":\"g\"");
            assertThat(node.anonymous()
                            .post("/feature-flags/evaluate", "{\"flag_name\":\"f\",\"environment\":\"e\"}")
                            .field("reason"))
                    .isEqualTo("PREREQUISITE_FAILED");
            assertThat(node.admin()
                            .put("/feature-flags/" + id, "{\"description\":\"broken\"}")
                            .status())
                    .isEqualTo(200);
            assertThat(node.admin()
                            .put("/feature-flags/" + id, "{\"is_enabled\":false}")
                            .status())
                    .isEqualTo(200);
            assertThat(node.admin()
                            .put("/feature-flags/" + id, "{\"prerequisites\":[]}")
                            .status())
                    .isEqualTo(200);
        }
    }

    private String withPatterns(String name, String pattern, int count) {
        return "{\"name\":\"" + name + "\",\"environment\":\"" + env
                + "\",\"is_enabled\":true,\"rules\":[{\"constraints\":"
                + "[{\"attribute\":\"a\",\"operator\":\"matches\",\"values\":["
                + String.join(",", java.util.Collections.nCopies(count, "\"" + pattern + "\"")) + "]}]}]}";
    }

    @Test
    void patternsAreBoundedForAFlagAndForAnEnvironment() {
        // one that is large by itself, several that are large together, and what people really write
        for (String large : java.util.List.of(
                "(a{100}){200}",
                "((a{50}){50}){50}",
                "(abcdefghij){1000}{20}",
                "[a-z]{1000000}",
                // a parenthesis that is text closes no group
                "(\\\\Q)\\\\Ea{100}){200}")) {
            assertThat(admin.post("/feature-flags", withPatterns("large", large, 1))
                            .status())
                    .as(large)
                    .isEqualTo(400);
        }
        Reply many = admin.post("/feature-flags", withPatterns("many", "a{999}", 30_000));
        assertThat(many.status()).isEqualTo(400);
        assertThat(many.text()).contains("too large together");
        assertThat(admin.post(
                                "/feature-flags",
                                withPatterns(
                                        "ordinary",
                                        "^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,253}\\\\.(com|org|net){1}$|\\\\p{L}{2,40}|\\\\x{20000}|\\\\Qa(b\\\\E",
                                        3))
                        .status())
                .isEqualTo(201);
        int flags = 0;
        Reply last;
        do {
            last = admin.post("/feature-flags", withPatterns("f" + flags++, "a{999}", 19));
        } while (last.status() == 201);
        assertThat(last.status()).as(last.text()).isEqualTo(400);
        assertThat(last.text()).contains("environment too large together");
        assertThat(flags).isBetween(8, 13);
        // a text that is longer than any pattern needs matches none
        String text = "a".repeat(5000);
        assertThat(admin.post(
                                "/feature-flags/evaluate",
                                "{\"flag_name\":\"f0\",\"environment\":\"" + env + "\",\"context\":{\"a\":\"" + text
                                        + "\"}}")
                        .json()
                        .get("enabled")
                        .asBoolean())
                .isFalse();
        assertThat(admin.post(
                                "/feature-flags/evaluate",
                                "{\"flag_name\":\"f0\",\"environment\":\"" + env + "\",\"context\":{\"a\":\""
                                        + text.substring(0, 4000) + "\"}}")
                        .json()
                        .get("enabled")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void chainsOfPrerequisitesAreBounded() {
        int length = 0;
        Reply last = admin.post("/feature-flags", "{\"name\":\"c0\",\"environment\":\"" + env + "\"}");
        while (last.status() == 201) {
            length++;
            last = admin.post(
                    "/feature-flags",
                    "{\"name\":\"c" + length + "\",\"environment\":\"" + env
                            + "\",\"prerequisites\":[{\"flag_name\":\"c" + (length - 1) + "\"}]}");
        }
        assertThat(last.wrongFields()).containsExactly("prerequisites");
        assertThat(length).isEqualTo(101);
    }
}
