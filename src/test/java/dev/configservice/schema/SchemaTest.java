package dev.configservice.schema;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas for the values of configurations. */
class SchemaTest {
    private static final String PORT = """
            {"type": "object", "required": ["port"], "additionalProperties": false,
             "properties": {"port": {"type": "integer", "maximum": 65535}, "hosts": {"items": {"format": "hostname"}}}}""";

    private final Api admin = TestNode.shared().admin();
    private final String env = "env-" + UUID.randomUUID();
    private final String name = "schema-" + UUID.randomUUID();

    @AfterEach
    void removeSchema() {
        admin.delete("/schemas/" + name);
    }

    private Reply putSchema(String pattern, String schema, String more) {
        return admin.put("/schemas/" + name + (more.equals("forced") ? "?force=true" : ""), """
                {"environment": "%s", "key_pattern": "%s", "schema": %s %s}""".formatted(
                        env, pattern, schema, more.equals("forced") ? "" : more));
    }

    private Reply put(String key, String value) {
        return admin.put("/config/" + key + "?environment=" + env, "{\"value\": " + value + "}");
    }

    @Test
    void aSchemaIsCreatedReadChangedListedAndDeletedByItsName() {
        Reply created = putSchema("db.*", PORT, "");

        assertThat(created.status()).as(created.text()).isEqualTo(201);
        assertThat(created.json().get("enforce").asText()).isEqualTo("reject");
        assertThat(created.json().get("service_name").isNull()).isTrue();
        String id = created.json().get("id").asText();
        assertThat(admin.get("/schemas/" + name).json()).isEqualTo(created.json());
        assertThat(admin.get("/schemas/" + id).json()).isEqualTo(created.json());
        assertThat(admin.get("/schemas?prefix=" + name).json().get("items")).hasSize(1);

        Reply changed = admin.put("/schemas/" + name, "{\"enforce\": \"warn\"}");
        assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        assertThat(changed.json().get("version").asInt()).isEqualTo(2);
        assertThat(admin.get("/schemas/" + name + "/history").json().get("items"))
                .hasSize(2);
        assertThat(admin.post("/schemas/" + name + "/rollback", "{\"version\": 1}")
                        .json()
                        .get("enforce")
                        .asText())
                .isEqualTo("reject");
        assertThat(admin.delete("/schemas/" + name).status()).isEqualTo(204);
        assertThat(admin.get("/schemas/" + name).status()).isEqualTo(404);
        assertThat(admin.get("/schemas/" + name + "/history").json().get("items"))
                .hasSize(4);
        Reply back = admin.post("/schemas/" + name + "/rollback", "{\"version\": 2}");
        assertThat(back.status()).as(back.text()).isEqualTo(200);
        assertThat(back.json().get("id").asText()).isEqualTo(id);
    }

    @Test
    void aValueThatBreaksASchemaIsRejectedWithItsPathAndTheRule() {
        putSchema("db.*", PORT, "");

        assertThat(put("db.main", "{\"port\": 5432}").status()).isEqualTo(201);
        assertThat(put("db", "\"not a match\"").status()).isEqualTo(201);
        assertThat(put("db.main.deep", "1").status()).isEqualTo(201);
        Reply refused = put("db.main", "{\"port\": 70000, \"x\": 1, \"hosts\": [\"a\", \"not a host!\"]}");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text())
                .contains("value.port", "maximum", "value.hosts[1]", "format", "additionalProperties", name);
        assertThat(admin.get("/config/db.main?environment=" + env)
                        .json()
                        .at("/value/port")
                        .asInt())
                .isEqualTo(5432);
        Reply posted =
                admin.post("/config", "{\"key\": \"db.other\", \"environment\": \"%s\", \"value\": 1}".formatted(env));
        assertThat(posted.status()).isEqualTo(400);
        assertThat(posted.json().at("/errors/0/field").asText()).isEqualTo("value");
    }

    @ParameterizedTest
    @CsvSource({
        "db.*,db.a,true", "db.*,db.a.b,false", "db.**,db.a.b,true", "db.**,db,false", "**.port,a.b.port,true",
        "*.port,a.b.port,false", "a*c,abc,true", "a*c,ac,false", "DB.*,db.a,false", "**,anything.at:all,true"
    })
    void aPatternMatchesWholeKeys(String pattern, String key, boolean isMatch) {
        assertThat(KeyPattern.RULE.problem(pattern)).isNull();
        assertThat(KeyPattern.of(pattern).matches(key)).isEqualTo(isMatch);
    }

    @Test
    void aWarningIsInTheAnswerAndTheValueIsWritten() {
        putSchema("db.*", PORT, ", \"enforce\": \"warn\"");

        Reply written = put("db.main", "{\"port\": \"x\"}");

        assertThat(written.status()).isEqualTo(201);
        assertThat(written.header("Warning")).contains("299", "value.port", name);
        JsonNode set = admin.post("/change-sets", set("db.second", "5")).json();
        assertThat(set.at("/results/0/warnings/0").asText()).contains("value", name);
    }

    private String set(String key, String value) {
        return """
                {"operations": [{"op": "put", "resource_type": "configuration", "environment": "%s", "key": "%s", "value": %s}]}""".formatted(env, key, value);
    }

    @Test
    void changeSetsImportsAndRollbacksAreChecked() {
        put("db.main", "1");
        String id = put("db.main", "{\"port\": 1}").json().get("id").asText();
        assertThat(putSchema("db.*", PORT, "").status()).isEqualTo(201);

        Reply set = admin.post("/change-sets", set("db.second", "5"));
        assertThat(set.status()).isEqualTo(400);
        assertThat(set.json().at("/errors/0/field").asText()).isEqualTo("operations[0].value");
        Reply imported = admin.post("/import?environment=" + env + "&service_name=", "{\"db\": {\"third\": \"x\"}}");
        assertThat(imported.status()).as(imported.text()).isEqualTo(400);
        Reply rolled = admin.post("/config/" + id + "/rollback", "{\"version\": 1}");
        assertThat(rolled.status()).as(rolled.text()).isEqualTo(400);
    }

    @Test
    void aSetIsJudgedByTheSchemasThatItBrings() {
        Reply both = admin.post("/change-sets", """
                {"operations": [
                  {"op": "put", "resource_type": "configuration", "environment": "%s", "key": "db.x", "value": 1},
                  {"op": "put", "resource_type": "schema", "name": "%s", "environment": "%s", "key_pattern": "db.*", "schema": %s}]}""".formatted(env, name, env, PORT));

        assertThat(both.status()).as(both.text()).isEqualTo(400);
        assertThat(both.json().at("/errors/0/field").asText()).isEqualTo("operations[0].value");
        put("db.x", "1");
        Reply mended = admin.post("/change-sets", """
                {"operations": [
                  {"op": "put", "resource_type": "configuration", "environment": "%s", "key": "db.x", "value": {"port": 1}},
                  {"op": "put", "resource_type": "schema", "name": "%s", "environment": "%s", "key_pattern": "db.*", "schema": %s}]}""".formatted(env, name, env, PORT));
        assertThat(mended.status()).as(mended.text()).isEqualTo(200);
    }

    @Test
    void aSchemaThatStoredValuesBreakIsAConflictUnlessForced() {
        put("db.good", "{\"port\": 1}");
        String id = put("db.bad", "1").json().get("id").asText();

        Reply refused = putSchema("db.*", PORT, "");
        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.json().at("/breaking_count").asInt()).isEqualTo(1);
        assertThat(refused.json().at("/breaking/0/id").asText()).isEqualTo(id);
        assertThat(refused.json().at("/breaking/0/key").asText()).isEqualTo("db.bad");
        Reply forced = putSchema("db.*", PORT, "forced");
        assertThat(forced.status()).as(forced.text()).isEqualTo(201);
        assertThat(forced.header("Warning")).contains("1 value");
        Reply described = admin.put("/config/db.bad?environment=" + env, "{\"description\": \"only this changes\"}");
        assertThat(described.status())
                .as("a value that is not set is not judged")
                .isEqualTo(200);
    }

    @Test
    void anEncryptedValueIsJudgedWhenItIsGivenAndTheErrorTellsNothingOfIt() {
        putSchema("secret.*", "{\"type\": \"string\", \"minLength\": 20}", "");

        Reply refused =
                admin.put("/config/secret.a?environment=" + env, "{\"value\": \"hunter2\", \"is_encrypted\": true}");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.json().at("/errors/0/field").asText()).isEqualTo("value");
        assertThat(refused.text()).contains(name).doesNotContain("hunter2", "minLength", "20");

        assertThat(admin.delete("/schemas/" + name).status()).isEqualTo(204);
        assertThat(admin.put("/config/secret.a?environment=" + env, "{\"value\": \"short\", \"is_encrypted\": true}")
                        .status())
                .isEqualTo(201);
        assertThat(putSchema("secret.*", "{\"type\": \"string\", \"minLength\": 20}", "")
                        .status())
                .as("what is encrypted is not tried")
                .isEqualTo(201);
        assertThat(admin.put("/config/secret.a?environment=" + env, "{\"description\": \"x\"}")
                        .status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "5",
                "{\"type\": \"strin\"}",
                "{\"$ref\": \"https://example.com/other\"}",
                "{\"properties\": {\"a\": {\"$ref\": \"other.json\"}}}",
                "{\"pattern\": \"(?=a)\"}",
                "{\"pattern\": \"(a{900}){900}\"}",
                "{\"patternProperties\": {\"[\": {}}}",
                "{\"$ref\": \"#\"}",
                "{\"$ref\": \"#/$defs/none\"}",
                "{\"allOf\": [{\"$ref\": \"#/$defs/a\"}], \"$defs\": {\"a\": {\"anyOf\": [{\"$ref\": \"#/$defs/a\"}]}}}",
                "{\"$schema\": \"http://json-schema.org/draft-04/schema\"}",
                "{\"properties\": {\"a\": {\"$id\": \"https://example.com/x\"}}}",
                "{\"minimum\": \"1\"}"
            })
    void whatIsNoSchemaIsRefused(String schema) {
        Reply refused = putSchema("db.*", schema, "");

        assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        assertThat(refused.json().at("/errors/0/field").asText()).startsWith("schema");
    }

    @Test
    void largeSchemasAreRefused() {
        ObjectNode many = Json.object();
        for (int i = 0; i < 1001; i++) {
            many.putObject("a" + i);
        }
        assertThat(putSchema("db.*", "{\"properties\": " + Json.write(many) + "}", "")
                        .status())
                .isEqualTo(400);
        assertThat(putSchema("db.*", "{\"not\":".repeat(40) + "true" + "}".repeat(40), "")
                        .status())
                .isEqualTo(400);
        assertThat(putSchema("db.*", "{\"enum\": [\"" + "x".repeat(70_000) + "\"]}", "")
                        .status())
                .isEqualTo(400);
    }

    /** Schemas that multiply, and values that they multiply with. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"$defs\": {\"n\": {\"oneOf\": [{\"items\": {\"$ref\": \"#/$defs/n\"}, \"minItems\": 1},"
                        + " {\"items\": {\"$ref\": \"#/$defs/n\"}, \"maxItems\": 0}]}}, \"$ref\": \"#/$defs/n\"}",
                "{\"items\": {\"allOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}}",
                "{\"patternProperties\": {\"^(a|b|c|d){300}$\": {}, \"x{900}y{900}\": {}}}",
                "{\"pattern\": \"^(([a-z])+.)+[A-Z]([a-z])+(a|b|c){500}$\"}"
            })
    void aSchemaCannotTakeLong(String schema) {
        String value;
        if (schema.contains("patternProperties")) {
            ObjectNode wide = Json.object();
            for (int i = 0; i < 20_000; i++) {
                wide.put("key-" + i, i);
            }
            value = Json.write(wide);
        } else if (schema.contains("pattern")) {
            value = "\"" + "a".repeat(900_000) + "\"";
        } else {
            value = "[".repeat(50) + "]".repeat(50);
        }
        assertThat(putSchema("db.*", schema, "").status()).isEqualTo(201);

        long start = System.nanoTime();
        Reply refused = put("db.x", value);

        assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        assertThat(refused.json().get("type").asText()).endsWith("schema-too-costly");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    }

    @Test
    void whoIsLimitedWritesNoSchemaForAll() {
        Api limited = TestNode.shared()
                .anonymous()
                .key(admin.post(
                                "/access/keys",
                                "{\"name\": \"%s\", \"rights\": [\"config:write\"], \"environments\": [\"%s\"]}"
                                        .formatted(name, env))
                        .json()
                        .get("key")
                        .asText());

        String body = "{\"key_pattern\": \"x.*\", \"schema\": true";
        assertThat(limited.put("/schemas/" + name, body + "}").status()).isEqualTo(403);
        assertThat(limited.put("/schemas/" + name, body + ", \"environment\": \"other\"}")
                        .status())
                .isEqualTo(403);
        assertThat(limited.put("/schemas/" + name, body + ", \"environment\": \"" + env + "\"}")
                        .status())
                .isEqualTo(201);
        assertThat(limited.put("/schemas/" + name, "{\"environment\": null}").status())
                .isEqualTo(403);
        assertThat(TestNode.shared()
                        .anonymous()
                        .put("/schemas/" + name, body + "}")
                        .status())
                .isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noValueThatIsWrittenAtTheSameTimeSlipsPastASchema(boolean inSet) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(5);
        try {
            for (int round = 0; round < 12; round++) {
                String place = env + "-" + inSet + round;
                String schema = "\"environment\": \"%s\", \"key_pattern\": \"k.*\", \"schema\": {\"type\": \"integer\"}"
                        .formatted(place);
                List<Callable<Reply>> all = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    String key = "k." + i;
                    all.add(() -> admin.put("/config/" + key + "?environment=" + place, "{\"value\": \"a string\"}"));
                }
                all.add(() -> inSet
                        ? admin.post("/change-sets", """
                                {"operations": [
                                  {"op": "put", "resource_type": "configuration", "environment": "%s", "key": "beside", "value": 1},
                                  {"op": "put", "resource_type": "schema", "name": "%s", %s}]}""".formatted(place, name, schema))
                        : admin.put("/schemas/" + name, "{" + schema + "}"));
                List<Future<Reply>> done = threads.invokeAll(all);
                Reply written = done.get(4).get();
                assertThat(written.status()).as(written.text()).isIn(200, 201, 409);
                boolean isWritten = written.status() != 409;
                JsonNode stored =
                        admin.get("/config?environment=" + place).json().get("items");
                assertThat(stored.findValuesAsText("key").contains("beside"))
                        .as("what came with the schema: " + stored)
                        .isEqualTo(isWritten && inSet);
                assertThat(isWritten && stored.toString().contains("a string"))
                        .as("stored beside the schema: " + stored)
                        .isFalse();
                assertThat(admin.get("/schemas/" + name).status()).isEqualTo(isWritten ? 200 : 404);
                admin.delete("/schemas/" + name);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void changesTellOfSchemas() {
        long revision = putSchema("db.*", PORT, "").revision();

        JsonNode items = admin.get("/changes?after=" + (revision - 1) + "&resource_type=schema")
                .json()
                .get("items");
        assertThat(items.get(0).get("event_type").asText()).isEqualTo("schema.created");
        assertThat(items.get(0).get("environment").asText()).isEqualTo(env);
        String id = items.get(0).get("resource_id").asText();
        assertThat(admin.get("/changes?resource_id=" + id).json().get("items")).hasSize(1);
        assertThat(admin.get("/changes?after=" + (revision - 1) + "&limit=1&key_prefix=s")
                        .json()
                        .get("items"))
                .isEmpty();
    }
}
