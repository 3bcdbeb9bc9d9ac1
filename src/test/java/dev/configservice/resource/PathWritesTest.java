package dev.configservice.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Resources that are written and read by their names. */
class PathWritesTest {
    private final Api admin = TestNode.shared().admin();
    private final String env = "env-" + UUID.randomUUID();

    private String at(String key, String service) {
        return "/config/" + key + "?environment=" + env + (service.isEmpty() ? "" : "&service_name=" + service);
    }

    private String flag(String name) {
        return "/feature-flags/" + name + "?environment=" + env;
    }

    @Test
    void aScriptCanPutAConfigurationTwice() {
        Reply created = admin.put(at("db.url", "shop"), "{\"value\":\"a\",\"comment\":\"first\"}");
        Reply same = admin.put(at("db.url", "shop"), "{\"value\":\"a\"}");
        Reply changed = admin.put(at("db.url", "shop"), "{\"value\":\"b\"}");

        assertThat(created.status()).as(created.text()).isEqualTo(201);
        assertThat(created.header("Location")).isEqualTo("/api/v1/config/" + created.field("id"));
        assertThat(same.status()).isEqualTo(200);
        assertThat(same.revision()).isEqualTo(created.revision());
        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.field("id")).isEqualTo(created.field("id"));
        assertThat(changed.field("version")).isEqualTo("2");
        assertThat(admin.get("/config/" + created.field("id") + "/history").text())
                .contains("\"first\"");
    }

    @Test
    void whatIsAbsentStaysAndWhatIsReadCanBeSentBack() {
        Reply created = admin.put(at("a", ""), "{\"value\":1,\"description\":\"what it is\"}");
        assertThat(created.field("description")).isEqualTo("what it is");
        Reply changed = admin.put(at("a", ""), "{\"value\":2}");
        assertThat(changed.field("description")).isEqualTo("what it is");
        assertThat(admin.put(at("a", ""), changed.text()).revision()).isEqualTo(changed.revision());
        assertThat(admin.put(at("a", ""), "{\"value\":2,\"key\":\"b\"}").text()).contains("key");
        assertThat(admin.put(at("new", ""), "{\"value\":2,\"key\":\"b\",\"environment\":\"" + env + "\",\"x\":1}")
                        .text())
                .contains("\"key\"", "as in the path", "\"x\"");
    }

    @Test
    void aPathIsExactlyThatOfTheServiceOrTheSharedOne() {
        admin.put(at("k", ""), "{\"value\":\"shared\"}");
        assertThat(admin.delete(at("k", "shop")).status()).isEqualTo(404);
        Reply own = admin.put(at("k", "shop"), "{\"value\":\"own\"}");
        assertThat(own.status()).isEqualTo(201);
        assertThat(admin.get(at("k", "shop")).field("value")).isEqualTo("own");
        assertThat(admin.delete(at("k", "shop") + "&comment=no%20longer").status())
                .isEqualTo(204);
        assertThat(admin.get(at("k", "shop")).field("value")).isEqualTo("shared");
        assertThat(admin.get("/config/" + own.field("id") + "/history").text()).contains("no longer");
        assertThat(admin.delete(at("k", "shop")).status()).isEqualTo(404);
    }

    @Test
    void aDeletedPathIsCreatedAnew() {
        Reply first = admin.put(at("again", ""), "{\"value\":1}");
        admin.delete(at("again", ""));
        Reply second = admin.put(at("again", ""), "{\"value\":2}");
        assertThat(second.status()).isEqualTo(201);
        assertThat(second.field("version")).isEqualTo("1");
        assertThat(second.field("id")).isNotEqualTo(first.field("id"));
    }

    @Test
    void preconditionsOnlyCreateOrOnlyChange() {
        Api create = admin.with("If-None-Match", "*");
        assertThat(admin.with("If-Match", "*").put(at("p", ""), "{\"value\":1}").status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", "\"1\"")
                        .put(at("p", ""), "{\"value\":1}")
                        .status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", "*").delete(at("p", "")).status()).isEqualTo(412);
        Reply created = create.put(at("p", ""), "{\"value\":1}");
        assertThat(created.status()).isEqualTo(201);
        Reply refused = create.put(at("p", ""), "{\"value\":2}");
        assertThat(refused.status()).isEqualTo(412);
        assertThat(refused.field("current_revision")).isEqualTo(Long.toString(created.revision()));
        assertThat(admin.with("If-Match", "\"1\"")
                        .put(at("p", ""), "{\"value\":2}")
                        .status())
                .isEqualTo(412);
        Reply changed = admin.with("If-Match", created.header("ETag")).put(at("p", ""), "{\"value\":2}");
        assertThat(changed.status()).isEqualTo(200);
        assertThat(admin.with("If-Match", created.header("ETag"))
                        .delete(at("p", ""))
                        .status())
                .isEqualTo(412);
        assertThat(admin.with("If-Match", changed.header("ETag"))
                        .delete(at("p", ""))
                        .status())
                .isEqualTo(204);
        assertThat(admin.with("If-None-Match", "\"7\"")
                        .put(at("p", ""), "{\"value\":2}")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void aPathNeedsItsEnvironmentAndAnIdTakesNone() {
        assertThat(admin.put("/config/k", "{\"value\":1}").text()).contains("\"environment\"");
        assertThat(admin.delete("/config/k").status()).isEqualTo(400);
        assertThat(admin.get("/feature-flags/f").status()).as("no id").isEqualTo(404);
        String id = admin.put(at("k", ""), "{\"value\":1}").field("id");
        assertThat(admin.put(at(id, ""), "{\"value\":1}").status()).isEqualTo(400);
        assertThat(admin.get(at(id, "")).status()).isEqualTo(400);
        assertThat(admin.delete("/config/" + id + "?service_name=a").status()).isEqualTo(400);
        assertThat(admin.put("/config/" + id, "{\"value\":2}").status()).isEqualTo(200);
        assertThat(admin.put(at(".k", ""), "{\"value\":1}").text()).contains("\"key\"");
        assertThat(admin.put(at("k2", ""), "{}").text()).contains("\"value\"", "is required");
    }

    @Test
    void fixedWordsCanBeKeysAndNames() {
        for (String word : List.of("bulk", "service")) {
            assertThat(admin.put(at(word, ""), "{\"value\":\"x\"}").status()).isEqualTo(201);
            assertThat(admin.get(at(word, "")).field("value")).isEqualTo("x");
            assertThat(admin.delete(at(word, "")).status()).isEqualTo(204);
        }
        assertThat(admin.put(flag("evaluate"), "{}").status()).isEqualTo(201);
        assertThat(admin.get(flag("evaluate")).field("name")).isEqualTo("evaluate");
        assertThat(admin.delete(flag("evaluate")).status()).isEqualTo(204);
    }

    @Test
    void flagsAreWrittenAndReadByName() {
        Reply created = admin.put(flag("new.checkout"), "{\"is_enabled\":true,\"rollout_percentage\":10}");
        assertThat(created.status()).as(created.text()).isEqualTo(201);
        Reply changed = admin.put(flag("new.checkout"), "{\"rollout_percentage\":20}");
        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.field("is_enabled")).isEqualTo("true");
        Reply read = TestNode.shared().anonymous().get(flag("new.checkout"));
        assertThat(read.field("rollout_percentage")).isEqualTo("20");
        assertThat(read.header("ETag")).isEqualTo("\"" + changed.revision() + "\"");
        assertThat(admin.delete(flag("new.checkout")).status()).isEqualTo(204);
        assertThat(admin.get(flag("new.checkout")).status()).isEqualTo(404);
        assertThat(admin.put(flag("bad%20name"), "{}").text()).contains("\"name\"");
    }

    @Test
    void anEncryptedConfigurationStaysEncrypted() {
        Reply created = admin.put(at("password", "shop"), "{\"value\":\"secret-1\",\"is_encrypted\":true}");
        assertThat(created.status()).as(created.text()).isEqualTo(201);
        admin.put(at("password", "shop"), "{\"value\":\"secret-2\"}");
        Reply read = admin.get(at("password", "shop"));
        assertThat(read.field("value")).isEqualTo("secret-2");
        assertThat(read.field("is_encrypted")).isEqualTo("true");
        assertThat(admin.get("/config/" + read.field("id") + "/history").text()).doesNotContain("secret-");
    }

    @Test
    void aRepeatedRequestIsToldWhatTheFirstOneDid() {
        Api keyed = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        Reply first = keyed.put(at("once", ""), "{\"value\":1}");
        admin.put(at("once", ""), "{\"value\":2}");
        Reply again = keyed.put(at("once", ""), "{\"value\":1}");
        assertThat(first.status()).isEqualTo(201);
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.revision()).isEqualTo(first.revision());
        assertThat(admin.get(at("once", "")).field("value")).isEqualTo("2");
        Api deleting = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        Reply deleted = deleting.delete(at("once", ""));
        assertThat(deleting.delete(at("once", "")).revision()).isEqualTo(deleted.revision());
    }

    @Test
    void aRequestThatChangedNothingChangesNothingWhenItIsRepeated() {
        Reply standing = admin.put(at("calm", ""), "{\"value\":1}");
        Api keyed = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        Reply first = keyed.put(at("calm", ""), "{\"value\":1}");
        assertThat(first.status()).isEqualTo(200);
        assertThat(first.revision()).isEqualTo(standing.revision());
        assertThat(keyed.put(at("calm", ""), "{\"value\":3}").text()).contains("idempotency-key-reused");
        admin.put(at("calm", ""), "{\"value\":2}");
        Reply again = keyed.put(at("calm", ""), "{\"value\":1}");
        assertThat(again.status()).isEqualTo(200);
        assertThat(again.revision()).isEqualTo(standing.revision());
        assertThat(again.field("value")).isEqualTo("1");
        assertThat(admin.get(at("calm", "")).field("value")).isEqualTo("2");
    }

    @Test
    void suchAKeyHoldsThroughAnEdgeOnAnotherNodeAndForEveryKind() {
        try (TestNode first = TestNode.start(Map.of());
                TestNode second = first.join();
                TestNode edge = first.edge(Map.of())) {
            for (String path : List.of(
                    "/config/c?environment=e", "/feature-flags/f?environment=e", "/templates/t", "/schemas/s")) {
                String field = path.startsWith("/config")
                        ? "value"
                        : path.startsWith("/schemas") ? "key_pattern" : "description";
                String more = path.startsWith("/schemas") ? ",\"schema\":{}" : "";
                first.admin().put(path, "{\"" + field + "\":\"was\"" + more + "}");
                String key = "k-" + UUID.randomUUID();
                String body = "{\"" + field + "\":\"was\"}";
                assertThat(edge.admin()
                                .with("Idempotency-Key", key)
                                .put(path, body)
                                .status())
                        .as(path)
                        .isEqualTo(200);
                second.admin().put(path, "{\"" + field + "\":\"others\"}");
                for (TestNode node : List.of(first, second, edge)) {
                    Reply again = node.admin().with("Idempotency-Key", key).put(path, body);
                    assertThat(again.status()).as(path).isEqualTo(200);
                    assertThat(again.field(field)).as(path).isEqualTo("was");
                }
                assertThat(first.admin().get(path).field(field)).as(path).isEqualTo("others");
            }
        }
    }

    @Test
    void aKeyIsOfOneRequestEvenIfTwoWithItComeAtOnce() {
        admin.put(at("one", ""), "{\"value\":1}");
        admin.put(at("two", ""), "{\"value\":1}");
        Api keyed = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        // one changes nothing, the other does: whichever is first has the key
        CompletableFuture<Reply> calm = CompletableFuture.supplyAsync(() -> keyed.put(at("one", ""), "{\"value\":1}"));
        Reply eager = keyed.put(at("two", ""), "{\"value\":2}");
        List<Integer> statuses = new ArrayList<>(List.of(calm.join().status(), eager.status()));
        assertThat(statuses).containsOnlyOnce(200);
        boolean isEager = eager.status() == 200;
        assertThat(admin.get(at("two", "")).field("value")).isEqualTo(isEager ? "2" : "1");
        assertThat((isEager ? calm.join() : eager).text()).contains("idempotency-key-reused");
    }

    @Test
    void aCallerNeedsTheRightForThePath() {
        Reply key = admin.post(
                "/access/keys",
                "{\"name\":\"k-" + UUID.randomUUID()
                        + "\",\"rights\":[\"config:write\"],\"service_names\":[\"shop\"]}");
        Api shop = TestNode.shared().anonymous().key(key.field("key"));
        assertThat(shop.put(at("mine", "shop"), "{\"value\":1}").status()).isEqualTo(201);
        assertThat(shop.put(at("mine", ""), "{\"value\":1}").status()).isEqualTo(403);
        assertThat(shop.put(at("mine", "other"), "{\"value\":1}").status()).isEqualTo(403);
        assertThat(shop.delete(at("mine", "other")).status()).isEqualTo(403);
        assertThat(shop.put(flag("f"), "{}").status()).isEqualTo(403);
        assertThat(TestNode.shared()
                        .anonymous()
                        .put(at("mine", ""), "{\"value\":1}")
                        .status())
                .isEqualTo(401);
    }

    /** Writers on two nodes and an edge put and delete one path: each gets an answer that some order of them explains. */
    @Test
    void writersOfOnePathOnSeveralNodesNeverSeeAnError() throws Exception {
        try (TestNode first = TestNode.start(java.util.Map.of());
                TestNode second = first.join();
                TestNode edge = first.edge(java.util.Map.of())) {
            ExecutorService pool = Executors.newFixedThreadPool(6);
            List<Future<List<Integer>>> writers = new ArrayList<>();
            for (TestNode node : List.of(first, second, edge)) {
                for (int w = 0; w < 2; w++) {
                    boolean isDeleting = w == 1;
                    writers.add(pool.submit(() -> {
                        List<Integer> statuses = new ArrayList<>();
                        for (int i = 0; i < 30; i++) {
                            statuses.add((isDeleting
                                            ? node.admin().delete(at("raced", ""))
                                            : node.admin().put(at("raced", ""), "{\"value\":" + i + "}"))
                                    .status());
                        }
                        return statuses;
                    }));
                }
            }
            for (int i = 0; i < writers.size(); i++) {
                Set<Integer> allowed = i % 2 == 1 ? Set.of(204, 404) : Set.of(200, 201);
                assertThat(writers.get(i).get()).allMatch(allowed::contains);
            }
            pool.shutdown();
            // what one node has answered is what the next one goes by
            for (int i = 0; i < 30; i++) {
                assertThat(first.admin()
                                .with("If-None-Match", "*")
                                .put(at("turn", ""), "{\"value\":1}")
                                .status())
                        .isEqualTo(201);
                assertThat(second.admin().delete(at("turn", "")).status()).isEqualTo(204);
            }
        }
    }
}
