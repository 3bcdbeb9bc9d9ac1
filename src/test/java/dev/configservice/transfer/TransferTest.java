package dev.configservice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Export, and import of what was exported and of files as people have them. */
class TransferTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();
    private final String other = "env-" + UUID.randomUUID();

    private void put(String key, String service, String fields) {
        Reply done = admin.put(
                "/config/" + key + "?environment=" + env + (service.isEmpty() ? "" : "&service_name=" + service),
                fields);
        assertThat(done.status()).as(done.text()).isBetween(200, 201);
    }

    private void fill() {
        put("text", "", "{\"value\":\"yes\",\"description\":\"looks like a boolean\"}");
        put("number", "", "{\"value\":1.50}");
        put("object", "shop", "{\"value\":{\"a\":[1,null],\"b\":\"\"}}");
        put("lines", "shop", "{\"value\":\"one\\ntwo: 'three' #\\u00e9\"}");
        put("secret", "shop", "{\"value\":\"hidden-1\",\"is_encrypted\":true}");
        admin.put(
                "/feature-flags/f?environment=" + env,
                "{\"is_enabled\":true,\"rules\":[{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"in\","
                        + "\"values\":[\"pro\"]}],\"rollout_percentage\":12.5}],\"tags\":[\"t\"]}");
    }

    private Reply load(String query, String type, String body) {
        return admin.with("Content-Type", type).post("/import?" + query, body);
    }

    private static List<String> actions(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        List<String> actions = new ArrayList<>();
        reply.json().get("results").forEach(r -> actions.add(r.get("action").asText()));
        return actions;
    }

    @Test
    void anImportThatChangedNothingChangesNothingWhenItIsRepeated() {
        put("calm", "", "{\"value\":1}");
        Api keyed = admin.with("Content-Type", "application/json").with("Idempotency-Key", "k-" + UUID.randomUUID());
        String path = "/import?format=json&service_name=&environment=" + env;
        assertThat(actions(keyed.post(path, "{\"calm\":1}"))).isEmpty();
        put("calm", "", "{\"value\":2}");
        assertThat(actions(keyed.post(path, "{\"calm\":1}"))).isEmpty();
        assertThat(admin.get("/config/calm?environment=" + env).field("value")).isEqualTo("2");
        assertThat(keyed.post(path, "{\"calm\":3}").text()).contains("idempotency-key-reused");
    }

    @Test
    void whatWasExportedChangesNothingWhenItIsImported() {
        fill();
        for (String format : List.of("yaml", "json")) {
            Reply exported = admin.get("/export?environment=" + env + "&format=" + format);
            assertThat(exported.status()).as(exported.text()).isEqualTo(200);
            assertThat(exported.text()).doesNotContain("hidden-1").doesNotContain("created_at");
            assertThat(exported.text())
                    .isEqualTo(admin.get("/export?environment=" + env + "&format=" + format)
                            .text());
            String type = format.equals("yaml") ? "application/yaml" : "application/json";
            Reply same = load("mode=replace", type, exported.text());
            assertThat(actions(same)).as(exported.text()).isEmpty();
            assertThat(same.json().get("id").isNull()).isTrue();
            // what curl says of a file unless told otherwise
            Reply untyped = load("mode=replace", "application/x-www-form-urlencoded", exported.text());
            assertThat(untyped.status()).as(untyped.text()).isEqualTo(200);
            assertThat(actions(untyped)).isEmpty();
        }
    }

    @Test
    void aDocumentIsBroughtToAnotherEnvironment() {
        fill();
        String exported = anyone.get("/export?environment=" + env).text();
        Reply missing = load("environment=" + other, "application/yaml", exported);
        assertThat(missing.status()).as(missing.text()).isEqualTo(409);
        assertThat(missing.text()).contains("configurations[", ".value");
        admin.put(
                "/config/secret?environment=" + other + "&service_name=shop",
                "{\"value\":\"theirs\",\"is_encrypted\":true}");
        admin.put("/config/extra?environment=" + other, "{\"value\":1}");
        Reply planned = load("dry_run=true&environment=" + other, "application/yaml", exported);
        assertThat(actions(planned)).hasSize(5).containsOnly("created");
        assertThat(actions(load("environment=" + other, "application/yaml", exported)))
                .hasSize(5);
        assertThat(admin.get("/config/secret?environment=" + other + "&service_name=shop")
                        .field("value"))
                .isEqualTo("theirs");
        assertThat(anyone.get("/config/number?environment=" + other).text()).contains("\"value\":1.50,");
        Reply diff = anyone.get("/diff?environment=" + env + "&other=" + other + "&only=differences");
        assertThat(diff.json().get("items")).hasSize(2);
        assertThat(actions(load("mode=replace&environment=" + other, "application/yaml", exported)))
                .containsExactly("deleted");
        assertThat(actions(load("environment=" + other, "application/yaml", exported)))
                .isEmpty();
    }

    @Test
    void anEntryIsWhole() {
        fill();
        String document = "{\"config_service_export\":1,\"configurations\":[{\"environment\":\"" + env
                + "\",\"key\":\"text\",\"value\":\"no\"},{\"environment\":\"" + env
                + "\",\"service_name\":\"shop\",\"key\":\"secret\",\"value\":\"hidden-2\"}],"
                + "\"feature_flags\":[{\"environment\":\"" + env + "\",\"name\":\"f\"}]}";
        assertThat(actions(load("", "application/json", document))).containsExactly("updated", "updated", "updated");
        assertThat(anyone.get("/config/text?environment=" + env).field("description"))
                .isEqualTo("null");
        assertThat(admin.get("/config/secret?environment=" + env + "&service_name=shop")
                        .field("is_encrypted"))
                .isEqualTo("true");
        Reply flag = anyone.get("/feature-flags/f?environment=" + env);
        assertThat(flag.field("is_enabled")).isEqualTo("false");
        assertThat(flag.json().get("rules")).isEmpty();
    }

    @Test
    void flatFilesAreTheLayerOfAService() {
        String at = "environment=" + env + "&service_name=shop";
        String yaml = "server:\n  port: 8080\n  hosts: [a, b]\nname: 'yes'\ndebug: true\nversion: 1.10\n";
        assertThat(actions(load(at, "application/yaml", yaml))).hasSize(5);
        JsonNode map =
                anyone.get("/config/service/shop?format=map&environment=" + env).json();
        assertThat(map.toString())
                .isEqualTo("{\"debug\":true,\"name\":\"yes\",\"server.hosts\":[\"a\",\"b\"],"
                        + "\"server.port\":8080,\"version\":1.10}");
        assertThat(actions(load(at, "application/yaml", yaml))).isEmpty();
        assertThat(actions(
                        load(at + "&mode=replace", "application/json", "{\"server\":{\"port\":8080},\"name\":\"no\"}")))
                .containsExactlyInAnyOrder("updated", "deleted", "deleted", "deleted");
        String properties = "# a comment\nserver.port=9090\nname = x\\u00e9\n";
        assertThat(actions(load(at + "&format=properties", "text/plain", properties)))
                .containsExactly("updated", "updated");
        assertThat(anyone.get("/config/server.port?" + at).json().get("value").isTextual())
                .isTrue();
        String variables = "export A='it'\\''s'\nB=\"x y\" \nC=plain # why\n\n#D=1\n";
        assertThat(actions(load(at + "&format=env", "text/plain", variables)))
                .containsExactly("created", "created", "created");
        assertThat(anyone.get("/config/A?" + at).field("value")).isEqualTo("it's");
        assertThat(anyone.get("/config/C?" + at).field("value")).isEqualTo("plain");
        // the shared layer has an empty name
        assertThat(actions(load("environment=" + env + "&service_name=", "application/json", "{\"s\":1}")))
                .containsExactly("created");
        assertThat(anyone.get("/config/s?environment=" + env).field("service_name"))
                .isEqualTo("null");
    }

    @Test
    void whatIsWrongIsToldByItsPlace() {
        String at = "environment=" + env + "&service_name=shop";
        for (List<String> wrong : List.of(
                List.of("a: &x 1", "anchor"),
                List.of("a: 1\nb: *x", "alias"),
                List.of("a: !!int '1'", "tag"),
                List.of("a: {<<: {b: 1}}", "merge key"),
                List.of("a: 1\na: 2", "twice"),
                List.of("a:\n  b: ~", "a.b"),
                List.of("a: [1, null]", "a[1]"),
                List.of("a: {b: null}", "a.b"),
                List.of("a: 1\n---\nb: 2", "one document"),
                List.of("- 1\n- 2", "object"),
                List.of("a: [1", "well-formed"),
                List.of("'.bad': 1", "key"))) {
            Reply refused = load(at, "application/yaml", wrong.get(0));
            assertThat(refused.status()).as(wrong.get(0)).isEqualTo(400);
            assertThat(refused.text()).as(wrong.get(0)).contains(wrong.get(1));
        }
        Reply many = load(
                "",
                "application/json",
                "{\"config_service_export\":1,\"configurations\":[{\"environment\":\"" + env
                        + "\",\"key\":\"ok\",\"value\":1},{\"environment\":\"" + env
                        + "\",\"key\":\".no\",\"value\":1},{\"environment\":\"" + env + "\",\"key\":\"none\"}]}");
        assertThat(many.status()).isEqualTo(400);
        assertThat(many.text()).contains("configurations[1].key", "configurations[2].value");
        assertThat(load("", "application/json", "{\"config_service_export\":1,\"x\":1}")
                        .text())
                .contains("\"x\"");
        assertThat(load("environment=" + env, "application/json", "{\"a\":1}").text())
                .contains("service_name");
        assertThat(load(at, "text/plain", "a=1").text()).contains("format");
        assertThat(load(at + "&format=env", "text/plain", "a b").text()).contains("line 1");
        StringBuilder large = new StringBuilder("{");
        for (int i = 0; i < 501; i++) {
            large.append(i > 0 ? "," : "").append("\"k" + i + "\":" + i);
        }
        Reply tooMany = load(at, "application/json", large.append('}').toString());
        assertThat(tooMany.status()).isEqualTo(413);
        assertThat(tooMany.text()).contains("too-many-changes", "\"changes\":501");
        assertThat(load(
                                "mode=replace",
                                "application/json",
                                "{\"config_service_export\":1,\"scope\":{\"complete\":false}}")
                        .status())
                .isEqualTo(409);
        assertThat(admin.with("Content-Type", "text/csv")
                        .post("/import?" + at, "a")
                        .status())
                .isEqualTo(415);
        assertThat(anyone.post("/import?" + at, "{\"a\":1}").status()).isEqualTo(401);
    }

    @Test
    void anExportIsCutToTheReachOfTheCallerAndThenReplacesNothing() {
        fill();
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"k-" + UUID.randomUUID()
                                + "\",\"rights\":[\"read\",\"config:write\"],\"service_names\":[\"none\"]}")
                .field("key");
        String exported = anyone.key(key)
                .get("/export?environment=" + env + "&format=json")
                .text();
        assertThat(exported).contains("\"complete\" : false").doesNotContain("\"shop\"");
        Reply refused = admin.with("Content-Type", "application/json").post("/import?mode=replace", exported);
        assertThat(refused.status()).isEqualTo(409);
        String whole = admin.get("/export?environment=" + env + "&format=json").text();
        assertThat(anyone.key(key)
                        .with("Content-Type", "application/json")
                        .post("/import?mode=replace", whole)
                        .status())
                .isEqualTo(403);
    }

    @Test
    void manyEnvironmentsAreExportedAndImportedAtOnce() {
        StringBuilder entries = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            entries.append(i > 0 ? "," : "")
                    .append("{\"environment\":\"" + env + "-" + i
                            + "\",\"service_name\":\"many\",\"key\":\"k\",\"value\":1}");
        }
        String document = "{\"config_service_export\":1,\"configurations\":[" + entries + "]}";
        assertThat(actions(load("", "application/json", document))).hasSize(40).containsOnly("created");
        Reply all = anyone.get("/export?service_name=many&format=json");
        assertThat(all.status()).as(all.text()).isEqualTo(200);
        assertThat(all.json().get("configurations").size()).isGreaterThanOrEqualTo(40);
        assertThat(actions(load("", "application/json", all.text()))).isEmpty();
    }

    @Test
    void encryptedValuesTravelAsTheyAreStored() {
        admin.put(
                "/config/pw?environment=" + env + "&service_name=shop", "{\"value\":\"geheim\",\"is_encrypted\":true}");
        Reply exported = admin.get("/export?environment=" + env + "&secrets=sealed&format=json");
        assertThat(exported.status()).as(exported.text()).isEqualTo(200);
        assertThat(exported.text()).contains("\"sealed\"", "\"sealed_id\"").doesNotContain("geheim");

        Reply same = load("", "application/json", exported.text());
        assertThat(same.json().get("id").isNull()).as(same.text()).isTrue();
        Reply copied = load("environment=" + env + "-copy", "application/json", exported.text());
        assertThat(actions(copied)).as(copied.text()).containsOnly("created");
        assertThat(admin.get("/config/pw?environment=" + env + "-copy&service_name=shop")
                        .json()
                        .get("value")
                        .asText())
                .isEqualTo("geheim");
        admin.delete("/config/pw?environment=" + env + "&service_name=shop");
        assertThat(actions(load("", "application/json", exported.text()))).containsOnly("created");

        String id = UUID.randomUUID().toString();
        Reply other = load(
                "",
                "application/json",
                exported.text().replaceAll("\"sealed_id\" : \"[^\"]*", "\"sealed_id\" : \"" + id));
        assertThat(other.status()).as("bound to the id").isEqualTo(400);
        assertThat(other.text()).contains("configurations[0].sealed");
        assertThat(anyone.get("/export?environment=" + env + "&secrets=sealed").status())
                .isEqualTo(401);
        assertThat(admin.get("/export?environment=" + env + "&secrets=sealed&at=1")
                        .status())
                .isEqualTo(400);
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"k-" + UUID.randomUUID() + "\",\"rights\":[\"read\",\"config:write\"]}")
                .field("key");
        assertThat(anyone.key(key)
                        .with("Content-Type", "application/json")
                        .post("/import?environment=" + env + "-third", exported.text())
                        .status())
                .isEqualTo(403);
    }
}
