package dev.configservice.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ConfigurationApiTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private Reply create(String key, String value, String more) {
        Reply reply = admin.post(
                "/config/",
                "{\"key\":\"" + key + "\",\"value\":" + value + ",\"environment\":\"" + env + "\"" + more + "}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        return reply;
    }

    @Test
    void aCreatedConfigurationCanBeRead() {
        Reply created = create("database.url", "\"postgresql://db:5432/mydb\"", ",\"service_name\":\"user-service\"");

        Reply read = anyone.get("/config/database.url?environment=" + env + "&service_name=user-service");

        assertThat(read.status()).isEqualTo(200);
        assertThat(read.field("value")).isEqualTo("postgresql://db:5432/mydb");
        assertThat(read.header("ETag")).isEqualTo("\"" + created.revision() + "\"");
        assertThat(created.header("Location")).isEqualTo("/api/v1/config/" + created.field("id"));
        assertThat(anyone.get("/config/" + created.field("id")).json()).isEqualTo(read.json());
        assertThat(anyone.get("/config/" + created.field("id").toUpperCase(java.util.Locale.ROOT))
                        .status())
                .isEqualTo(200);
    }

    @Test
    void everyTypeOfValueIsStoredUnchanged() {
        List<String> values = List.of(
                "\"\"",
                "\"text\\u00e9\\ud83d\\ude00\"",
                "0",
                "-1",
                "1.0",
                "1.50",
                "12345678901234567890123456789012345678",
                "1E-300",
                "true",
                "false",
                "[]",
                "{}",
                "[1,[2,{\"a\":null}]]",
                "{\"z\":1,\"a\":{\"b\":[]}}");
        for (int i = 0; i < values.size(); i++) {
            create("typed." + i, values.get(i), "");
            String text =
                    anyone.get("/config/typed." + i + "?environment=" + env).text();
            assertThat(text).contains("\"value\":" + Json.write(Json.read(values.get(i))) + ",");
        }
    }

    @Test
    void aConfigurationOfAServiceOverridesTheSharedOne() {
        create("limit", "1", "");
        create("limit", "2", ",\"service_name\":\"a\"");

        assertThat(anyone.get("/config/limit?environment=" + env + "&service_name=a")
                        .field("value"))
                .isEqualTo("2");
        assertThat(anyone.get("/config/limit?environment=" + env + "&service_name=b")
                        .field("value"))
                .isEqualTo("1");
        assertThat(anyone.get("/config/limit?environment=" + env).field("value"))
                .isEqualTo("1");
        assertThat(anyone.get("/config/limit").status()).isEqualTo(404);
    }

    @Test
    void creatingAnExistingConfigurationIsAConflictThatNamesIt() {
        Reply first = create("twice", "1", "");

        Reply second = admin.post("/config", "{\"key\":\"twice\",\"value\":2,\"environment\":\"" + env + "\"}");

        assertThat(second.status()).isEqualTo(409);
        assertThat(second.field("id")).isEqualTo(first.field("id"));
    }

    @Test
    void encodedPathsGetTheSameResponseAsPlainOnes() {
        create("plain", "1", "");
        for (String[] same : new String[][] {
            {"/api/v1/config/plain?environment=" + env, "/api/v1/%63onfig/pl%61in?environment=" + env},
            {"/api/v1/config/plain?environment=" + env, "/api/v1/config/plain/?%65nvironment=" + env},
            {
                "/api/v1/config/plain?environment=" + env + "&odd=1",
                "/api/v1/%63onfig/plain?environment=" + env + "&odd=1"
            },
            {"/api/v1/config/none?environment=" + env, "/api/v1/config/n%6Fne?environment=" + env},
            {"/api/v1/config/service/s?environment=" + env, "/api/v1/config/servic%65/s?environment=" + env},
            {"/api/v1/registry/nobody", "/api/v1/%72egistry/nobody"},
        }) {
            Reply plain = anyone.get(same[0]);
            Reply decoded = anyone.get(same[1]);
            assertThat(decoded.status()).as(same[1]).isEqualTo(plain.status());
            assertThat(withoutIds(decoded.text())).as(same[1]).isEqualTo(withoutIds(plain.text()));
            for (String header :
                    java.util.List.of("ETag", "Content-Type", "Cache-Control", "Vary", "X-Config-Revision")) {
                assertThat(decoded.header(header)).as(header).isEqualTo(plain.header(header));
            }
        }
    }

    private static String withoutIds(String problem) {
        return problem.replaceAll("\"(request_id|instance)\":\"[^\"]*\"", "");
    }

    @Test
    void allInvalidParametersAreReportedAtOnce() {
        Reply reply = anyone.get("/config?environment=no/name&is_encrypted=maybe&limit=0&odd=1&min_revision=x");
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.json().get("errors").findValuesAsText("field"))
                .containsExactlyInAnyOrder("environment", "is_encrypted", "limit", "odd", "min_revision");
    }

    @Test
    void allInvalidFieldsAreReportedAtOnce() {
        Reply reply = admin.post(
                "/config", "{\"key\":\"-x\",\"value\":null,\"environment\":7,\"is_encrypted\":\"yes\",\"valeu\":1}");

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.wrongFields())
                .containsExactlyInAnyOrder("key", "value", "environment", "is_encrypted", "valeu");
        assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void aKeyMayNotLookLikeAnId() {
        Reply reply = admin.post(
                "/config", "{\"key\":\"" + UUID.randomUUID() + "\",\"value\":1,\"environment\":\"" + env + "\"}");

        assertThat(reply.wrongFields()).containsExactly("key");
    }

    @Test
    void malformedJsonIsRejectedWithItsPosition() {
        Reply reply = admin.post("/config", "{\"key\":\n  oops}");

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.field("type")).isEqualTo("malformed-body");
        assertThat(reply.json().get("line").asInt()).isEqualTo(2);
        assertThat(admin.post("/config", "").status()).isEqualTo(400);
        assertThat(admin.post("/config", "[]").status()).isEqualTo(400);
        assertThat(admin.post("/config", "{\"key\":\"a\",\"key\":\"b\"}").text())
                .contains("given twice");
        assertThat(admin.post("/config", "{} {}").status()).isEqualTo(400);
    }

    @Test
    void valuesThatPostgresCannotStoreAreRefused() {
        for (String value : List.of(
                "\"a\\u0000b\"",
                "\"\\ud800\"",
                "{\"\\u0000\":1}",
                "1e131071",
                "-1e400",
                "1" + "0".repeat(40),
                "[".repeat(100) + "]".repeat(100),
                "1e-5000")) {
            Reply reply =
                    admin.post("/config", "{\"key\":\"odd\",\"value\":" + value + ",\"environment\":\"" + env + "\"}");
            assertThat(reply.status()).as(value).isEqualTo(400);
        }
    }

    @Test
    void aBodyWithTheDefaultContentTypeOfCurlIsReadAsJson() {
        String body = "{\"key\":\"curl\",\"value\":1,\"environment\":\"" + env + "\"}";

        assertThat(admin.with("Content-Type", "application/x-www-form-urlencoded")
                        .post("/config/", body)
                        .status())
                .isEqualTo(201);
        assertThat(admin.with("Content-Type", "text/csv").post("/config/", body).status())
                .isEqualTo(415);
        assertThat(admin.with("Content-Type", "multipart/form-data")
                        .post("/config/", body)
                        .status())
                .isEqualTo(415);
        String large = "{\"key\":\"large\",\"value\":\"" + "x".repeat(1 << 20) + "\",\"environment\":\"" + env + "\"}";
        assertThat(admin.post("/config/", large).status()).isEqualTo(413);
    }

    @Test
    void accessIsCheckedBeforeTheBodyIsRead() {
        assertThat(anyone.post("/config", "not json").status()).isEqualTo(401);
        assertThat(anyone.key("wrong").get("/config/x").status()).isEqualTo(401);
    }

    @Test
    void unknownParametersPathsAndMethodsAreRefused() {
        assertThat(anyone.get("/config/x?enviroment=" + env).wrongFields()).containsExactly("enviroment");
        assertThat(anyone.get("/nothing").status()).isEqualTo(404);
        Reply reply = anyone.send("PATCH", "/config/x", "{}");
        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.header("Allow")).isEqualTo("DELETE, GET, HEAD, PUT");
        assertThat(anyone.get("/config/x?environment=a%00b").status()).isEqualTo(400);
        assertThat(anyone.get("/config/%00").status()).isEqualTo(404);
        assertThat(anyone.get("/config/x?environment=").status()).isEqualTo(400);
        assertThat(anyone.get("/config?limit=0").status()).isEqualTo(400);
        assertThat(anyone.get("/config?limit=501").status()).isEqualTo(400);
        assertThat(anyone.get("/config?page_token=zzz").status()).isEqualTo(400);
    }

    @Test
    void aTrailingSlashIsIgnoredAndHeadIsAnsweredLikeGet() {
        create("slash", "1", "");

        Reply with = anyone.get("/config/slash/?environment=" + env);
        assertThat(with.status()).isEqualTo(200);
        Reply head = anyone.send("HEAD", "/config/slash?environment=" + env, null);
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.text()).isEmpty();
        assertThat(head.header("ETag")).isEqualTo(with.header("ETag"));
    }

    @Test
    void anUpdateChangesOnlyTheGivenFields() {
        Reply created = create("kept", "1", ",\"description\":\"the first\"");
        String path = "/config/" + created.field("id");

        Reply changed = admin.put(path, "{\"value\":2}");
        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.field("description")).isEqualTo("the first");
        assertThat(changed.field("version")).isEqualTo("2");

        Reply same = admin.put(path, "{\"value\":2}");
        assertThat(same.field("version")).isEqualTo("2");
        assertThat(same.field("revision")).isEqualTo(changed.field("revision"));

        Reply cleared = admin.put(path, "{\"description\":null}");
        assertThat(cleared.json().get("description").isNull()).isTrue();
        assertThat(admin.put(path, "{\"value\":null}").wrongFields()).containsExactly("value");
    }

    @Test
    void aConfigurationThatWasReadCanBeChangedAndSentBack() {
        String path = "/config/" + create("back", "{\"a\":1.5}", "").field("id");
        var read =
                (com.fasterxml.jackson.databind.node.ObjectNode) admin.get(path).json();
        read.put("value", "new");

        assertThat(admin.put(path, Json.write(read)).field("value")).isEqualTo("new");
        assertThat(admin.put(path, "{\"key\":\"other\"}").wrongFields()).containsExactly("key");
    }

    @Test
    void staleIfMatchIsRefused() {
        Reply created = create("guarded", "1", "");
        String path = "/config/" + created.field("id");
        Reply changed = admin.with("If-Match", created.header("ETag")).put(path, "{\"value\":2}");
        assertThat(changed.status()).isEqualTo(200);

        assertThat(admin.with("If-Match", created.header("ETag"))
                        .put(path, "{\"value\":3}")
                        .status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", created.header("ETag")).delete(path).status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", "\"1\", " + changed.header("ETag"))
                        .put(path, "{\"description\":null}")
                        .status())
                .isEqualTo(200);
        assertThat(admin.with("If-Match", changed.header("ETag").replace("\"", "") + "-m")
                        .delete(path)
                        .status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", changed.header("ETag").replaceAll("\"$", "-m\""))
                        .delete(path)
                        .status())
                .isEqualTo(204);
    }

    @Test
    void aMatchingIfNoneMatchGetsNotModified() {
        create("cached", "1", "");
        String path = "/config/cached?environment=" + env;
        String etag = anyone.get(path).header("ETag");

        Reply again = anyone.with("If-None-Match", etag).get(path);
        assertThat(again.status()).isEqualTo(304);
        assertThat(again.text()).isEmpty();
        assertThat(anyone.with("If-None-Match", "\"0\", W/" + etag).get(path).status())
                .isEqualTo(304);
        String ofService = anyone.get("/config/service/s?environment=" + env).header("ETag");
        assertThat(anyone.with("If-None-Match", ofService)
                        .get("/config/service/s?environment=" + env)
                        .status())
                .isEqualTo(304);
        Reply other = create("cached2", "1", "");
        assertThat(anyone.with("If-None-Match", ofService)
                        .get("/config/service/s?environment=" + env)
                        .header("ETag"))
                .isEqualTo("\"" + other.revision() + "\"");
    }

    @Test
    void deletingAnOlderConfigurationAlsoChangesTheEtagOfTheLayer() {
        String first = create("one", "1", "").field("id");
        create("two", "1", "");
        String before = anyone.get("/config/service/s?environment=" + env).header("ETag");

        long revision = admin.delete("/config/" + first).revision();

        Reply after = anyone.get("/config/service/s?environment=" + env);
        assertThat(after.header("ETag")).isEqualTo("\"" + revision + "\"").isNotEqualTo(before);
    }

    @Test
    void aDeletedConfigurationKeepsItsHistoryAndCanBeRolledBack() {
        Reply created = create("gone", "\"first\"", ",\"comment\":\"why not\"");
        String path = "/config/" + created.field("id");
        admin.put(path, "{\"value\":\"second\"}");
        assertThat(admin.delete(path).status()).isEqualTo(204);
        assertThat(admin.delete(path).status()).isEqualTo(404);
        assertThat(anyone.get(path).status()).isEqualTo(404);
        assertThat(anyone.get("/config/gone?environment=" + env).status()).isEqualTo(404);

        JsonNode history = anyone.get(path + "/history").json().get("items");
        assertThat(history).hasSize(3);
        assertThat(history.get(0).get("action").asText()).isEqualTo("deleted");
        assertThat(history.get(0).get("value").isNull()).isTrue();
        assertThat(history.get(2).get("value").asText()).isEqualTo("first");
        assertThat(history.get(2).get("comment").asText()).isEqualTo("why not");
        assertThat(history.get(2).get("changed_by").isNull()).isTrue();
        assertThat(admin.get(path + "/history")
                        .json()
                        .get("items")
                        .get(2)
                        .get("changed_by")
                        .get("name")
                        .asText())
                .isEqualTo("admin");

        assertThat(admin.post(path + "/rollback", "{\"version\":3}").status()).isEqualTo(409);
        Reply back = admin.post(path + "/rollback", "{\"version\":1}");
        assertThat(back.status()).isEqualTo(200);
        assertThat(back.field("value")).isEqualTo("first");
        assertThat(back.field("version")).isEqualTo("4");
        assertThat(back.field("created_at")).isEqualTo(created.field("created_at"));
        assertThat(anyone.get("/config/gone?environment=" + env).field("value")).isEqualTo("first");
        assertThat(admin.post(path + "/rollback", "{\"version\":9}").status()).isEqualTo(400);
        assertThat(admin.post("/config/" + UUID.randomUUID() + "/rollback", "{\"version\":1}")
                        .status())
                .isEqualTo(404);
    }

    @Test
    void aRollbackToAPathInUseIsAConflict() {
        String path = "/config/" + create("taken", "1", "").field("id");
        admin.delete(path);
        create("taken", "2", "");

        assertThat(admin.post(path + "/rollback", "{\"version\":1}").status()).isEqualTo(409);
    }

    @Test
    void historyIsReturnedInPages() {
        String path = "/config/" + create("paged", "0", "").field("id");
        for (int i = 1; i < 5; i++) {
            admin.put(path, "{\"value\":" + i + "}");
        }
        List<Integer> versions = new ArrayList<>();
        String next = path + "/history?limit=2";
        while (!next.isEmpty()) {
            Reply page = anyone.get(next);
            page.json().get("items").forEach(v -> versions.add(v.get("version").asInt()));
            next = page.header("Link").replaceAll("^<|>.*$", "");
        }
        assertThat(versions).containsExactly(5, 4, 3, 2, 1);
    }

    @Test
    void listsAreFilteredLiterallyAndSortedByCodePoint() {
        for (String key : List.of("b", "a.x", "a_x", "B", "a.y")) {
            create(key, "1", ",\"service_name\":\"s\",\"description\":\"Text of " + key + "\"");
        }
        create("a.x", "1", "");

        assertThat(keys("/config?environment=" + env)).containsExactly("B", "a.x", "a.x", "a.y", "a_x", "b");
        assertThat(keys("/config?environment=" + env + "&service_name=")).containsExactly("a.x");
        assertThat(keys("/config?environment=" + env + "&service_name=s&prefix=a."))
                .containsExactly("a.x", "a.y");
        assertThat(keys("/config?environment=" + env + "&prefix=a%25")).isEmpty();
        assertThat(keys("/config?environment=" + env + "&q=TEXT%20OF%20A_X")).containsExactly("a_x");
        assertThat(keys("/config?environment=" + env + "&is_encrypted=true")).isEmpty();

        List<String> paged = new ArrayList<>();
        String next = "/config?limit=2&environment=" + env;
        while (!next.isEmpty()) {
            Reply page = anyone.get(next);
            page.json().get("items").forEach(c -> paged.add(c.get("key").asText()));
            next = page.header("Link").replaceAll("^<|>.*$", "");
        }
        assertThat(paged).containsExactly("B", "a.x", "a.x", "a.y", "a_x", "b");
    }

    private List<String> keys(String path) {
        List<String> keys = new ArrayList<>();
        anyone.get(path).json().get("items").forEach(c -> keys.add(c.get("key").asText()));
        return keys;
    }

    @Test
    void aServiceReadsAllItsConfigurationsInEveryFormat() throws IOException {
        create("shared.only", "true", "");
        create("both", "\"shared\"", "");
        create("both", "\"own it's\"", ",\"service_name\":\"s\"");
        create("list", "[1,\"zwei\"]", ",\"service_name\":\"s\"");
        String path = "/config/service/s?environment=" + env;

        JsonNode all = anyone.get(path).json();
        assertThat(all).hasSize(3);
        assertThat(all.get(0).get("key").asText()).isEqualTo("both");
        assertThat(all.get(0).get("value").asText()).isEqualTo("own it's");

        assertThat(anyone.get(path + "&format=map").text())
                .isEqualTo("{\"both\":\"own it's\",\"list\":[1,\"zwei\"],\"shared.only\":true}");
        assertThat(anyone.get(path + "&format=env").text())
                .isEqualTo("BOTH='own it'\\''s'\nLIST='[1,\"zwei\"]'\nSHARED_ONLY='true'\n");
        Properties properties = new Properties();
        properties.load(new StringReader(anyone.get(path + "&format=properties").text()));
        assertThat(properties)
                .containsEntry("both", "own it's")
                .containsEntry("list", "[1,\"zwei\"]")
                .containsEntry("shared.only", "true");
        assertThat(anyone.get(path + "&format=yaml").text()).contains("shared.only: true");
        assertThat(anyone.get(path + "&format=toml").status()).isEqualTo(400);
        assertThat(anyone.get("/config/service/unknown?environment=nowhere").text())
                .isEqualTo("[]");

        create("shared-only", "1", "");
        assertThat(anyone.get(path + "&format=env").status()).isEqualTo(409);
    }

    @Test
    void severalKeysAreReadAtOnce() {
        create("b1", "1", "");
        create("b2", "2", ",\"service_name\":\"s\"");

        Reply reply = anyone.post(
                "/config/bulk",
                "{\"environment\":\"" + env + "\",\"service_name\":\"s\",\"keys\":[\"b1\",\"b2\",\"b3\"]}");

        assertThat(reply.json().get("items").get("b2").get("value").asInt()).isEqualTo(2);
        assertThat(reply.json().get("items")).hasSize(2);
        assertThat(reply.json().get("missing").get(0).asText()).isEqualTo("b3");
        assertThat(anyone.post("/config/bulk", "{\"environment\":\"x\"}").wrongFields())
                .containsExactly("keys");
    }

    @Test
    void requestsWithTheSameIdempotencyKeyAreExecutedOnce() {
        Api with = admin.with("Idempotency-Key", UUID.randomUUID().toString());
        String body = "{\"key\":\"once\",\"value\":1,\"environment\":\"" + env + "\"}";

        Reply first = with.post("/config", body);
        Reply second = with.post("/config", body);

        assertThat(second.status()).isEqualTo(201);
        assertThat(second.json()).isEqualTo(first.json());
        assertThat(second.revision()).isEqualTo(first.revision());
        assertThat(with.post("/config", body.replace("1", "2")).status()).isEqualTo(422);
        assertThat(admin.with("Idempotency-Key", "a b").post("/config", body).status())
                .isEqualTo(400);
    }

    @Test
    void aReadWaitsForItsMinimumRevisionAndThenFails() {
        long revision = create("behind", "1", "").revision();

        assertThat(anyone.with("X-Min-Revision", Long.toString(revision))
                        .get("/config/behind?environment=" + env)
                        .status())
                .isEqualTo(200);
        Reply refused = anyone.get("/config/behind?environment=" + env + "&min_revision=999999999");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.header("Retry-After")).isNotEmpty();
        assertThat(anyone.with("X-Min-Revision", "soon").get("/config/behind").status())
                .isEqualTo(400);
    }

    @Test
    void aRequestIdIsKeptOrGenerated() {
        assertThat(anyone.with("X-Request-Id", "abc-1").get("/config/x").header("X-Request-Id"))
                .isEqualTo("abc-1");
        assertThat(anyone.with("X-Request-Id", "a b").get("/config/x").header("X-Request-Id"))
                .hasSize(36);
    }

    @Test
    void anIdempotencyKeyHoldsForChangesAndDeletions() {
        Reply created = admin.post("/config", "{\"key\":\"once\",\"value\":1,\"environment\":\"" + env + "\"}");
        String path = "/config/" + created.field("id");
        Api first = admin.with("Idempotency-Key", "put-" + env);
        Reply put = first.put(path, "{\"value\":2}");
        assertThat(admin.put(path, "{\"value\":3}").status()).isEqualTo(200);
        Reply again = first.put(path, "{\"value\":2}");
        assertThat(again.status()).isEqualTo(200);
        assertThat(again.revision()).isEqualTo(put.revision());
        assertThat(again.field("value")).isEqualTo("2");
        assertThat(admin.get(path).field("value")).isEqualTo("3");
        assertThat(first.put(path, "{\"value\":4}").status()).isEqualTo(422);

        Api leaving = admin.with("Idempotency-Key", "delete-" + env);
        Reply deleted = leaving.delete(path);
        assertThat(deleted.status()).isEqualTo(204);
        Reply deletedAgain = leaving.delete(path);
        assertThat(deletedAgain.status()).isEqualTo(204);
        assertThat(deletedAgain.revision()).isEqualTo(deleted.revision());
        assertThat(admin.delete(path).status()).isEqualTo(404);
    }

    @Test
    void anExplanationSaysWhereEachValueComesFrom() {
        create("x", "1", "");
        create("x", "2", ",\"service_name\":\"a\"");
        create("y", "3", "");
        create("s", "\"hidden-1\"", ",\"is_encrypted\":true");
        create("s", "\"plain\"", ",\"service_name\":\"a\"");
        Reply own = anyone.get("/config/x?environment=" + env + "&service_name=a&explain=true");
        assertThat(own.field("value")).isEqualTo("2");
        assertThat(own.json().at("/origin/layer").asText()).isEqualTo("own");
        assertThat(own.json().at("/origin/overrides/value").asInt()).isEqualTo(1);
        Reply shared = anyone.get("/config/x?environment=" + env + "&service_name=b&explain=true");
        assertThat(shared.json().at("/origin/layer").asText()).isEqualTo("shared");
        assertThat(shared.json().at("/origin/overrides").isNull()).isTrue();
        assertThat(anyone.get("/config/x?environment=" + env).json().has("origin"))
                .isFalse();
        String layer = "/config/service/a?environment=" + env + "&explain=true";
        JsonNode all = anyone.get(layer).json();
        assertThat(all).hasSize(3);
        assertThat(all.get(0).at("/origin/overrides/value").isNull())
                .as("encrypted: " + all.get(0))
                .isTrue();
        assertThat(all.get(1).at("/origin/overrides/value").asInt()).isEqualTo(1);
        assertThat(all.get(2).at("/origin/layer").asText()).isEqualTo("shared");
        Reply secrets = admin.get(layer);
        assertThat(secrets.json().get(0).at("/origin/overrides/value").asText()).isEqualTo("hidden-1");
        assertThat(secrets.header("Cache-Control")).contains("no-store");
        // what was read can be sent back
        Reply read = admin.get("/config/x?environment=" + env + "&service_name=a&explain=true");
        Reply back = admin.put("/config/" + own.field("id"), read.text());
        assertThat(back.status()).as(back.text()).isEqualTo(200);
        assertThat(anyone.get(layer + "&format=env").status()).isEqualTo(400);
        assertThat(anyone.get("/config/" + own.field("id") + "?explain=true").status())
                .isEqualTo(400);
    }

    @Test
    void listsAreSortedAsAskedAndPagesGoOnInThatOrder() {
        create("b", "1", "");
        create("a", "1", "");
        create("c", "1", "");
        admin.put("/config/b?environment=" + env, "{\"value\":2}");
        String list = "/config/?environment=" + env + "&limit=2&sort=";
        for (String[] expected : new String[][] {
            {"key", "abc"}, {"-key", "cba"}, {"revision", "acb"}, {"-updated_at", "bca"}, {"updated_at", "acb"}
        }) {
            for (String at : List.of(
                    "", "&at=" + admin.get("/config/b?environment=" + env).field("revision"))) {
                StringBuilder keys = new StringBuilder();
                String token = "";
                while (token != null) {
                    Reply page = anyone.get(list + expected[0] + at + (token.isEmpty() ? "" : "&page_token=" + token));
                    assertThat(page.status()).as(page.text()).isEqualTo(200);
                    page.json()
                            .get("items")
                            .forEach(c -> keys.append(c.get("key").asText()));
                    token = page.json().get("next_page_token").textValue();
                }
                assertThat(keys.toString()).as(expected[0] + at).isEqualTo(expected[1]);
            }
        }
        assertThat(anyone.get(list + "value").status()).isEqualTo(400);
        String byKey = anyone.get(list + "key").field("next_page_token");
        assertThat(anyone.get(list + "revision&page_token=" + byKey).status()).isEqualTo(400);
    }
}
