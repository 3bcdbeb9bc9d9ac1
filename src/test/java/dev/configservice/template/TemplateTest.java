package dev.configservice.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Templates for new services. */
class TemplateTest {
    private final Api admin = TestNode.shared().admin();
    private final String env = "env-" + UUID.randomUUID();
    private final String name = "template-" + UUID.randomUUID();

    private static final String WEB = """
            {"description": "a web service",
             "parameters": [
               {"name": "port", "default": 8080},
               {"name": "host"},
               {"name": "team", "required": false},
               {"name": "db.password", "is_secret": true}],
             "configurations": [
               {"key": "server.port", "value": "${port}", "description": "port of ${host}"},
               {"key": "server.url", "value": {"url": "http://${host}:${port}/", "literal": "$${host} ${other}"}},
               {"key": "owner", "value": "${team}"},
               {"key": "db.password", "value": "${db.password}", "is_encrypted": true}],
             "feature_flags": [{"name": "${host}-new", "is_enabled": true, "rollout_percentage": 5}]}""";

    private Reply create(String body) {
        return admin.put("/templates/" + name, body);
    }

    private Reply apply(String parameters, String more) {
        return admin.post(
                "/templates/" + name + "/apply",
                "{\"environment\": \"%s\", \"service_name\": \"shop\", \"parameters\": {%s}%s}"
                        .formatted(env, parameters, more));
    }

    private static final String ALL = "\"host\": \"shop\", \"db.password\": \"geheim\"";

    private JsonNode config(String key) {
        return admin.get("/config/" + key + "?environment=" + env + "&service_name=shop")
                .json();
    }

    @Test
    void aTemplateIsAppliedAsAChangeSetWithTheValuesOfItsParameters() {
        Reply created = create(WEB);
        assertThat(created.status()).as(created.text()).isEqualTo(201);
        assertThat(created.json().at("/parameters/0/required").asBoolean()).isFalse();
        assertThat(created.json().at("/parameters/1/required").asBoolean()).isTrue();

        Reply dry = apply(ALL, ", \"dry_run\": true");
        assertThat(dry.status()).as(dry.text()).isEqualTo(200);
        assertThat(dry.json().get("applied").asBoolean()).isFalse();
        assertThat(dry.json().get("results")).hasSize(4);
        assertThat(dry.text()).doesNotContain("geheim");
        assertThat(config("server.port").path("status").asInt()).isEqualTo(404);

        Reply done = apply(ALL, ", \"comment\": \"a new shop\"");
        assertThat(done.status()).as(done.text()).isEqualTo(200);
        List<String> actions = new ArrayList<>();
        done.json().get("results").forEach(r -> actions.add(r.get("action").asText()));
        assertThat(actions).containsExactly("created", "created", "created", "created");
        assertThat(config("server.port").get("value").isInt()).isTrue();
        assertThat(config("server.port").get("value").asInt()).isEqualTo(8080);
        assertThat(config("server.port").get("description").asText()).isEqualTo("port of shop");
        assertThat(config("server.url").get("value"))
                .isEqualTo(Json.readObject("{\"url\": \"http://shop:8080/\", \"literal\": \"${host} ${other}\"}"));
        assertThat(config("owner").path("status").asInt())
                .as("no value: left out")
                .isEqualTo(404);
        assertThat(config("db.password").get("value").asText()).isEqualTo("geheim");
        assertThat(config("db.password").get("is_encrypted").asBoolean()).isTrue();
        assertThat(admin.get("/feature-flags/shop-new?environment=" + env)
                        .json()
                        .get("rollout_percentage")
                        .asInt())
                .isEqualTo(5);
        assertThat(admin.get("/templates?environment=" + env + "&service_name=shop")
                        .json()
                        .at("/items/0/name")
                        .asText())
                .isEqualTo(name);
        assertThat(admin.get("/audit?environment=" + env).text()).doesNotContain("geheim");
        String id = done.json().get("id").asText();
        assertThat(admin.get("/change-sets/" + id).json().get("results")).hasSize(4);
        Reply reverted = admin.post("/change-sets/" + id + "/revert", "{}");
        assertThat(reverted.status()).as(reverted.text()).isEqualTo(200);
        assertThat(admin.get("/templates/" + name + "/drift?environment=" + env + "&service_name=shop")
                        .status())
                .isEqualTo(404);
    }

    @Test
    void theSecondTimeNothingThatIsNoSecretChanges() {
        create(WEB.replace("{\"name\": \"db.password\", \"is_secret\": true}", "{\"name\": \"x\", \"default\": 1}")
                .replace(
                        ",\n   {\"key\": \"db.password\", \"value\": \"${db.password}\", \"is_encrypted\": true}", ""));
        Reply first = apply("\"host\": \"shop\"", "");
        assertThat(first.status()).as(first.text()).isEqualTo(200);

        Reply again = apply("\"host\": \"shop\"", "");

        assertThat(again.json().get("id").isNull()).isTrue();
        again.json()
                .get("results")
                .forEach(r -> assertThat(r.get("action").asText()).isEqualTo("unchanged"));
    }

    @Test
    void driftNamesWhatDiffersFromTheVersionThatWasApplied() {
        create(WEB);
        assertThat(drift().status()).isEqualTo(404);
        apply(ALL, "");
        assertThat(statuses()).containsExactly("same", "same", "unknown", "same");

        admin.put("/config/server.port?environment=" + env + "&service_name=shop", "{\"value\": 9090}");
        admin.delete("/config/server.url?environment=" + env + "&service_name=shop");
        admin.put("/config/extra?environment=" + env + "&service_name=shop", "{\"value\": 1}");
        admin.put("/feature-flags/shop-new?environment=" + env, "{\"rollout_percentage\": 50}");
        assertThat(statuses()).containsExactly("changed", "missing", "unknown", "changed");

        admin.put("/feature-flags/shop-new?environment=" + env, "{\"rollout_percentage\": 5, \"owner\": \"me\"}");
        assertThat(statuses()).as("what it does not name does not count").endsWith("same");

        admin.put("/templates/" + name, "{\"description\": \"newer\"}");
        JsonNode drift = drift().json();
        assertThat(drift.get("template_version").asInt()).isEqualTo(1);
        assertThat(drift.get("current_version").asInt()).isEqualTo(2);
    }

    private Reply drift() {
        return admin.get("/templates/" + name + "/drift?environment=" + env + "&service_name=shop");
    }

    private List<String> statuses() {
        List<String> all = new ArrayList<>();
        Reply drift = drift();
        assertThat(drift.status()).as(drift.text()).isEqualTo(200);
        drift.json().get("items").forEach(i -> all.add(i.get("status").asText()));
        return all;
    }

    @Test
    void aTemplateIsMadeOfWhatAServiceHas() {
        admin.put("/config/a.b?environment=" + env + "&service_name=old", "{\"value\": \"plain ${pw} ${x}\"}");
        admin.put(
                "/config/pw?environment=" + env + "&service_name=old",
                "{\"value\": \"geheim\", \"is_encrypted\": true}");
        admin.put("/config/shared?environment=" + env, "{\"value\": 1}");

        Reply made = admin.post(
                "/templates",
                "{\"name\": \"%s\", \"from\": {\"environment\": \"%s\", \"service_name\": \"old\"}}"
                        .formatted(name, env));

        assertThat(made.status()).as(made.text()).isEqualTo(201);
        assertThat(made.text()).doesNotContain("geheim");
        assertThat(made.json().at("/parameters/0/name").asText()).isEqualTo("pw");
        assertThat(made.json().at("/parameters/0/is_secret").asBoolean()).isTrue();
        assertThat(made.json().get("configurations")).hasSize(2);
        Reply applied = apply("\"pw\": \"other\"", "");
        assertThat(applied.status()).as(applied.text()).isEqualTo(200);
        assertThat(config("a.b").get("value").asText()).isEqualTo("plain ${pw} ${x}");
        assertThat(config("pw").get("value").asText()).isEqualTo("other");

        admin.put("/config/more?environment=" + env + "&service_name=old", "{\"value\": true}");
        Reply renewed = create("{\"from\": {\"environment\": \"%s\", \"service_name\": \"old\"}}".formatted(env));
        assertThat(renewed.status()).as(renewed.text()).isEqualTo(200);
        assertThat(renewed.json().get("configurations")).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "parameters[0].default | {'parameters': [{'name': 'p', 'is_secret': true, 'default': 1}]}",
                "parameters[1].name | {'parameters': [{'name': 'p'}, {'name': 'p'}]}",
                "configurations[0].key | {'configurations': [{'value': 1}]}",
                "configurations[0].value | {'configurations': [{'key': 'a'}]}",
                "configurations[0].key | {'configurations': [{'key': 'not a key', 'value': 1}]}",
                "configurations[0].x | {'configurations': [{'key': 'a', 'value': 1, 'x': 2}]}",
                "configurations[1] | {'configurations': [{'key': 'a', 'value': 1}, {'key': 'a', 'value': 2}]}",
                "configurations[0].value | {'configurations': [{'key': 'a', 'value': 'in the clear', 'is_encrypted': true}]}",
                "configurations[0].value | {'parameters': [{'name': 'p', 'is_secret': true}], 'configurations': [{'key': 'a', 'value': '${p}'}]}",
                "configurations[0].value | {'parameters': [{'name': 'p', 'is_secret': true}], 'configurations': [{'key': 'a', 'value': 'x${p}', 'is_encrypted': true}]}",
                "configurations[0].description | {'parameters': [{'name': 'p', 'is_secret': true}], 'configurations': [{'key': 'a', 'value': '${p}', 'is_encrypted': true, 'description': '${p}'}]}",
                "feature_flags[0].rollout_percentage | {'feature_flags': [{'name': 'f', 'rollout_percentage': 101}]}",
                "feature_flags[0].environment | {'feature_flags': [{'name': 'f', 'environment': 'x'}]}",
                "configurations | {'configurations': {}}",
                "from | {'from': 5}"
            })
    void whatIsNoTemplateIsRefused(String field, String body) {
        String json = body.replace('\'', '"');
        Reply refused = field.equals("from")
                ? admin.post("/templates", json.replace("{\"from", "{\"name\": \"x\", \"from"))
                : create(json);

        assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        List<String> fields = new ArrayList<>();
        refused.json().get("errors").forEach(e -> fields.add(e.get("field").asText()));
        assertThat(fields).contains(field);
    }

    @Test
    void whatIsWrongInAnApplyIsToldByItsPlaceInTheTemplate() {
        create(WEB);

        Reply missing = apply("\"unknown\": 1", "");
        assertThat(missing.status()).isEqualTo(400);
        assertThat(missing.text()).contains("parameters.host", "parameters.db.password", "parameters.unknown");
        Reply bad = apply("\"host\": \"not a name!\", \"db.password\": \"x\"", "");
        assertThat(bad.status()).isEqualTo(400);
        assertThat(bad.json().at("/errors/0/field").asText()).isEqualTo("feature_flags[0].name");
        assertThat(config("server.port").path("status").asInt()).isEqualTo(404);
    }

    @Test
    void parametersThatAreRepeatedFillNoMemory() {
        StringBuilder entries = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            entries.append(i > 0 ? "," : "").append("{\"key\":\"k").append(i).append("\",\"value\":\"");
            entries.append("${p}".repeat(50)).append("\"}");
        }
        assertThat(create("{\"parameters\":[{\"name\":\"p\"}],\"configurations\":[" + entries + "]}")
                        .status())
                .isEqualTo(201);
        Reply large = apply("\"p\": \"" + "x".repeat(19_000) + "\"", ", \"dry_run\": true");
        assertThat(large.status()).as(large.text()).isEqualTo(400);
        assertThat(large.text()).contains("8 MiB");

        create("{\"parameters\":[{\"name\":\"p\"}],\"configurations\":[{\"key\":\"a\",\"value\":\"${p}${p}${p}\"}]}");
        assertThat(apply("\"p\": \"" + "x".repeat(500_000) + "\"", "").status()).isEqualTo(400);
        create("{\"configurations\":[{\"key\":\"a\",\"value\":" + "[".repeat(33) + "\"${p}\"" + "]".repeat(33) + "}]}");
        Reply deep = apply("\"p\": " + "[".repeat(33) + "1" + "]".repeat(33), "");
        assertThat(deep.status()).as(deep.text()).isEqualTo(400);
        assertThat(deep.text()).contains("nested too deeply");
    }

    @Test
    void aRepeatedRequestIsAnsweredWithWhatTheFirstOneDid() {
        create("{\"configurations\":[{\"key\":\"a\",\"value\":1}]}");
        Api keyed = admin.with("Idempotency-Key", name);
        String body = "{\"environment\": \"" + env + "\", \"service_name\": \"shop\"}";
        Reply first = keyed.post("/templates/" + name + "/apply", body);
        Reply second = keyed.post("/templates/" + name + "/apply", body);
        assertThat(first.json().get("id").isNull()).isFalse();
        assertThat(second.json()).isEqualTo(first.json());

        Api again = admin.with("Idempotency-Key", name + "-revert");
        String revert = "/change-sets/" + first.json().get("id").asText() + "/revert";
        Reply undone = again.post(revert, "{}");
        assertThat(undone.status()).as(undone.text()).isEqualTo(200);
        assertThat(undone.json().at("/results/0/index").asInt()).isZero();
        assertThat(again.post(revert, "{}").json()).isEqualTo(undone.json());

        Api put = admin.with("Idempotency-Key", name + "-put");
        assertThat(put.put("/config/p?environment=" + env, "{\"value\": 1}").status())
                .isEqualTo(201);
        assertThat(put.put("/config/p?environment=" + env, "{\"value\": 1}").status())
                .isEqualTo(201);
    }

    @Test
    void rightsAreThoseOfTheSingleWrites() {
        create(WEB);
        Api limited = TestNode.shared()
                .anonymous()
                .key(admin.post(
                                "/access/keys",
                                "{\"name\": \"%s\", \"rights\": [\"config:write\", \"flags:write\"], \"environments\": [\"%s\"],"
                                                .formatted(name, env)
                                        + " \"service_names\": [\"shop\"]}")
                        .json()
                        .get("key")
                        .asText());

        assertThat(limited.put("/templates/" + name, "{\"description\": \"mine\"}")
                        .status())
                .isEqualTo(403);
        assertThat(limited.delete("/templates/" + name).status()).isEqualTo(403);
        assertThat(limited.get("/templates?environment=other").status()).isEqualTo(403);
        assertThat(limited.get("/templates?environment=" + env + "&service_name=other")
                        .status())
                .isEqualTo(403);
        String body = "{\"environment\": \"%s\", \"service_name\": \"%s\", \"parameters\": {" + ALL + "}}";
        assertThat(limited.post("/templates/" + name + "/apply", body.formatted(env, "other"))
                        .status())
                .isEqualTo(403);
        Reply own = limited.post("/templates/" + name + "/apply", body.formatted(env, "shop"));
        assertThat(own.status()).as(own.text()).isEqualTo(200);
        assertThat(TestNode.shared()
                        .anonymous()
                        .post("/templates/" + name + "/apply", body.formatted(env, "shop"))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void internalNotesAreNoResourcesOfTheApi() {
        Reply refused = admin.post(
                "/change-sets",
                "{\"operations\": [{\"op\": \"put\", \"resource_type\": \"template_use\", \"environment\": \"e\", \"name\": \"x\"}]}");

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).doesNotContain("template_use,");
        assertThat(admin.undescribed().get("/template-uses/x").status()).isEqualTo(404);
    }
}
