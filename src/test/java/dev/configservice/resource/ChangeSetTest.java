package dev.configservice.resource;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Several operations at once: all of them, or none. */
class ChangeSetTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private ObjectNode put(String key, String service, Object value) {
        ObjectNode o = Json.object()
                .put("op", "put")
                .put("resource_type", "configuration")
                .put("environment", env)
                .put("key", key);
        o.set("value", Json.tree(value));
        return service.isEmpty() ? o : o.put("service_name", service);
    }

    private ObjectNode delete(String key, String service) {
        ObjectNode o = put(key, service, 0).put("op", "delete");
        o.remove("value");
        return o;
    }

    private ObjectNode flag(String name, String more) {
        ObjectNode o = Json.readObject("{" + more + "}");
        return o.put("op", "put")
                .put("resource_type", "feature_flag")
                .put("environment", env)
                .put("name", name);
    }

    private static String body(boolean isDry, ObjectNode... operations) {
        ArrayNode all = Json.object().arrayNode();
        for (ObjectNode o : operations) {
            all.add(o);
        }
        ObjectNode body = Json.object().put("comment", "a release").put("dry_run", isDry);
        body.set("operations", all);
        return Json.write(body);
    }

    private Reply send(ObjectNode... operations) {
        return admin.post("/change-sets", body(false, operations));
    }

    private JsonNode value(String key, String service) {
        return anyone.get("/config/" + key + "?environment=" + env
                        + (service.isEmpty() ? "" : "&service_name=" + service))
                .json()
                .path("value");
    }

    @Test
    void allOperationsAreDoneTogether() {
        send(put("old", "shop", 1), put("changed", "", 1), put("same", "", "s"));
        Reply done = send(
                put("new", "shop", "n"),
                delete("old", "shop"),
                put("changed", "", 2),
                put("same", "", "s"),
                flag("checkout", "\"is_enabled\":true"));

        assertThat(done.status()).as(done.text()).isEqualTo(200);
        JsonNode set = done.json();
        assertThat(set.get("applied").asBoolean()).isTrue();
        long first = set.get("first_revision").asLong();
        assertThat(set.get("last_revision").asLong()).isEqualTo(first + 3);
        assertThat(done.revision()).isEqualTo(first + 3);
        List<String> actions = new ArrayList<>();
        set.get("results").forEach(r -> actions.add(r.get("action").asText()));
        assertThat(actions).containsExactly("created", "deleted", "updated", "unchanged", "created");
        assertThat(set.at("/results/2/version").asInt()).isEqualTo(2);
        assertThat(set.at("/results/2").has("before")).isFalse();
        assertThat(value("changed", "shop").asInt()).isEqualTo(2);
        assertThat(value("new", "shop").asText()).isEqualTo("n");

        JsonNode read = admin.get("/change-sets/" + set.get("id").asText()).json();
        assertThat(read.get("comment").asText()).isEqualTo("a release");
        assertThat(read.at("/changed_by/type").asText()).isEqualTo("admin");
        assertThat(read.get("results")).hasSize(4);
        assertThat(read.at("/results/1/before/value").asInt()).isEqualTo(1);
        assertThat(read.at("/results/1/after").isNull()).isTrue();
        assertThat(read.at("/results/2/before/value").asInt()).isEqualTo(1);
        assertThat(read.at("/results/2/after/value").asInt()).isEqualTo(2);

        JsonNode changes = anyone.get("/changes?after=" + (first - 1) + "&environment=" + env)
                .json()
                .get("items");
        assertThat(changes).hasSize(4);
        for (int i = 0; i < 4; i++) {
            assertThat(changes.get(i).at("/change_set/id").asText())
                    .isEqualTo(set.get("id").asText());
            assertThat(changes.get(i).at("/change_set/index").asInt()).isEqualTo(i);
            assertThat(changes.get(i).at("/change_set/count").asInt()).isEqualTo(4);
        }
        JsonNode verified = admin.get("/audit/verify?from=" + first).json();
        assertThat(verified.get("verified").asBoolean()).as(verified.toString()).isTrue();
    }

    @Test
    void whatIsWrongIsToldForAllAndNothingIsDone() {
        send(put("there", "", 1));
        Reply refused = send(
                put("fine", "", 1), put(".bad", "", 1), flag("f", "\"rollout_percentage\":300"), put("no", "x y", 1));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).contains("operations[3].service_name");

        Reply invalid = send(put("fine", "", 1), put(".bad", "", 1), flag("f", "\"rollout_percentage\":300"));
        assertThat(invalid.status()).isEqualTo(400);
        assertThat(invalid.text()).contains("operations[1].key", "operations[2].rollout_percentage");

        Reply stale = send(put("fine", "", 1), put("there", "", 2).put("if_revision", 1_000_000), delete("none", ""));
        assertThat(stale.status()).as(stale.text()).isEqualTo(412);
        assertThat(stale.text()).contains("operations[1]").doesNotContain("operations[2]");

        Reply missing = send(put("fine", "", 1), delete("none", ""));
        assertThat(missing.status()).isEqualTo(409);
        assertThat(missing.text()).contains("operations[1]", "does not exist");

        assertThat(send(put("there", "", 2).put("if_revision", 0)).status()).isEqualTo(412);
        assertThat(send(put("new", "", 2).put("if_revision", 7)).status()).isEqualTo(412);
        Reply twice = send(put("fine", "", 1), put("x", "", 1), put("fine", "", 2));
        assertThat(twice.status()).isEqualTo(400);
        assertThat(twice.text()).contains("operations[2]", "operations[0]");
        assertThat(send(put("fine", "", 1).put("comment", "c")).text()).contains("operations[0].comment");
        assertThat(send(put("fine", "", 1).put("valeu", 1)).text()).contains("operations[0].valeu");
        assertThat(send(delete("there", "").put("value", 1)).text()).contains("operations[0].value");
        assertThat(send(put("fine", "", 1).put("op", "patch")).text()).contains("operations[0].op");
        assertThat(send(put("fine", "", 1).put("resource_type", "service")).text())
                .contains("operations[0].resource_type");
        assertThat(send().status()).isEqualTo(400);
        ObjectNode[] many = new ObjectNode[501];
        for (int i = 0; i < many.length; i++) {
            many[i] = put("k" + i, "", i);
        }
        assertThat(send(many).status()).isEqualTo(400);
        assertThat(anyone.get("/config/fine?environment=" + env).status()).isEqualTo(404);
        assertThat(value("there", "").asInt()).isEqualTo(1);
    }

    @Test
    void aDryRunAnswersWhatTheRealOneWouldAndWritesNothing() {
        send(put("a", "", 1), put("secret", "", "hidden-1").put("is_encrypted", true));
        ObjectNode[] operations = {
            put("a", "", 2), put("b", "shop", "x".repeat(20_000)), put("secret", "", "hidden-2"), flag("f", "")
        };
        long before = admin.get("/config/?environment=" + env).revision();
        Reply dry = admin.post("/change-sets", body(true, operations));
        assertThat(dry.status()).as(dry.text()).isEqualTo(200);
        assertThat(dry.json().get("applied").asBoolean()).isFalse();
        assertThat(dry.json().get("id").isNull()).isTrue();
        assertThat(dry.json().at("/results/0/before/value").asInt()).isEqualTo(1);
        assertThat(dry.json().at("/results/0/after/value").asInt()).isEqualTo(2);
        assertThat(dry.json().at("/results/0/revision").isNull()).isTrue();
        assertThat(dry.json().at("/results/1/after/truncated").asBoolean()).isTrue();
        assertThat(dry.text()).doesNotContain("hidden-");
        assertThat(value("a", "").asInt()).isEqualTo(1);
        assertThat(anyone.get("/changes?environment=" + env + "&after=" + before)
                        .json()
                        .get("items"))
                .isEmpty();
        Reply real = admin.post("/change-sets?full=true", body(false, operations));
        for (int i = 0; i < operations.length; i++) {
            for (String field : List.of("action", "version")) {
                assertThat(real.json().at("/results/" + i + "/" + field))
                        .isEqualTo(dry.json().at("/results/" + i + "/" + field));
            }
        }
        Reply refused = admin.post("/change-sets", body(true, put("a", "", 1).put("if_revision", 0)));
        assertThat(refused.status()).isEqualTo(412);
    }

    @Test
    void rulesAcrossRowsSeeTheWholeSet() {
        // each needs the other to be there, whatever the order
        Reply fine = send(flag("child", "\"prerequisites\":[\"parent\"]"), flag("parent", "\"is_enabled\":true"));
        assertThat(fine.status()).as(fine.text()).isEqualTo(200);
        Reply cycle = send(flag("one", "\"prerequisites\":[\"two\"]"), flag("two", "\"prerequisites\":[\"one\"]"));
        assertThat(cycle.status()).isEqualTo(400);
        assertThat(cycle.text()).contains("operations[", "prerequisites");
        // turned around in one set, which would be a cycle half way
        Reply turned = send(flag("parent", "\"prerequisites\":[\"child\"]"), flag("child", "\"prerequisites\":[]"));
        assertThat(turned.status()).as(turned.text()).isEqualTo(200);
    }

    @Test
    void aRepeatedSetIsToldWhatTheFirstOneDid() {
        Api keyed = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        String body = body(false, put("a", "", 1), put("b", "", 2));
        assertThat(keyed.post("/change-sets", body(true, put("a", "", 1))).status())
                .isEqualTo(200);
        Reply first = keyed.post("/change-sets", body);
        assertThat(first.json().get("results")).hasSize(2);
        assertThat(first.json().get("last_revision").asLong())
                .isEqualTo(first.json().get("first_revision").asLong() + 1);
        assertThat(value("b", "").asInt()).isEqualTo(2);
        admin.put("/config/a?environment=" + env, "{\"value\":9}");
        Reply again = keyed.post("/change-sets", body);
        assertThat(again.status()).as(again.text()).isEqualTo(200);
        assertThat(again.json()).isEqualTo(first.json());
        assertThat(value("a", "").asInt()).isEqualTo(9);
        assertThat(keyed.post("/change-sets", body(false, put("c", "", 1))).text())
                .contains("idempotency-key-reused");
    }

    @Test
    void aSetThatChangedNothingChangesNothingWhenItIsRepeated() {
        // the last change of what it names is that of another set
        send(put("a", "", 1), put("b", "", 2));
        Api keyed = admin.with("Idempotency-Key", "k-" + UUID.randomUUID());
        String body = body(false, put("a", "", 1), put("b", "", 2));
        Reply first = keyed.post("/change-sets", body);
        assertThat(first.json().get("id").isNull()).isTrue();
        assertThat(first.json().at("/results/1/action").asText()).isEqualTo("unchanged");
        admin.put("/config/a?environment=" + env, "{\"value\":9}");
        Reply again = keyed.post("/change-sets", body);
        assertThat(again.status()).as(again.text()).isEqualTo(200);
        assertThat(again.json().get("id").isNull()).isTrue();
        assertThat(again.json().get("last_revision").isNull()).isTrue();
        assertThat(again.json().get("results")).isEmpty();
        assertThat(value("a", "").asInt()).isEqualTo(9);
        assertThat(keyed.post("/change-sets", body(false, put("a", "", 1))).text())
                .contains("idempotency-key-reused");
    }

    @Test
    void aSetCanBeUndone() {
        send(
                put("kept", "", "was"),
                put("gone", "", "was"),
                put("s", "", "hidden").put("is_encrypted", true));
        String gone = admin.get("/config/gone?environment=" + env).field("id");
        Reply set = send(
                put("kept", "", "is"),
                delete("gone", ""),
                put("made", "shop", 1),
                put("s", "", "other"),
                flag("f", ""));
        String path = "/change-sets/" + set.field("id") + "/revert";
        Reply dry = admin.post(path, "{\"dry_run\":true}");
        assertThat(dry.json().get("results")).hasSize(5);
        assertThat(value("kept", "").asText()).isEqualTo("is");

        Reply undone = admin.post(path, "{\"comment\":\"it was wrong\"}");
        assertThat(undone.status()).as(undone.text()).isEqualTo(200);
        assertThat(value("kept", "").asText()).isEqualTo("was");
        assertThat(admin.get("/config/gone?environment=" + env).field("id")).isEqualTo(gone);
        assertThat(anyone.get("/config/made?environment=" + env + "&service_name=shop")
                        .status())
                .isEqualTo(404);
        assertThat(admin.get("/config/s?environment=" + env).field("value")).isEqualTo("hidden");
        assertThat(anyone.get("/feature-flags/f?environment=" + env).status()).isEqualTo(404);

        Reply again = admin.post(path, "{}");
        assertThat(again.status()).as(again.text()).isEqualTo(409);
        assertThat(again.text()).contains("changed since");
        // undoing the undoing
        Reply redone = admin.post("/change-sets/" + undone.field("id") + "/revert", "{}");
        assertThat(redone.status()).as(redone.text()).isEqualTo(200);
        assertThat(value("kept", "").asText()).isEqualTo("is");
        assertThat(value("made", "shop").asInt()).isEqualTo(1);
        admin.put("/config/kept?environment=" + env, "{\"value\":\"mine\"}");
        String second = "/change-sets/" + redone.field("id") + "/revert";
        Reply conflict = admin.post(second, "{}");
        assertThat(conflict.status()).isEqualTo(409);
        assertThat(conflict.text()).contains("'kept'");
        Reply skipped = admin.post(second, "{\"skip_changed\":true}");
        assertThat(skipped.status()).as(skipped.text()).isEqualTo(200);
        assertThat(value("kept", "").asText()).isEqualTo("mine");
        assertThat(anyone.get("/config/made?environment=" + env + "&service_name=shop")
                        .status())
                .isEqualTo(404);
        assertThat(admin.post("/change-sets/" + UUID.randomUUID() + "/revert", "{}")
                        .status())
                .isEqualTo(404);
    }

    @Test
    void eachOperationNeedsItsRight() {
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"k-" + UUID.randomUUID()
                                + "\",\"rights\":[\"config:write\"],\"service_names\":[\"shop\"]}")
                .field("key");
        Api shop = anyone.key(key);
        assertThat(shop.post("/change-sets", body(false, put("a", "shop", 1))).status())
                .isEqualTo(200);
        Reply refused =
                shop.post("/change-sets", body(false, put("b", "shop", 1), put("c", "", 1), flag("f", "\"x\":1")));
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.text()).contains("operations[1]", "operations[2]");
        assertThat(anyone.get("/config/b?environment=" + env + "&service_name=shop")
                        .status())
                .isEqualTo(404);
        assertThat(anyone.post("/change-sets", body(false, put("a", "", 1))).status())
                .isEqualTo(401);
        Reply others = send(put("theirs", "other", 1));
        assertThat(shop.get("/change-sets/" + others.field("id")).status()).isEqualTo(404);
    }

    /** A set of the largest size, and one of many small changes, pass through pages to another node, an edge and a stream. */
    @Test
    void largeSetsArriveWholeOnOtherNodes() throws Exception {
        try (TestNode first = TestNode.start(Map.of());
                TestNode second = first.join();
                TestNode edge = first.edge(Map.of())) {
            ObjectNode[] large = new ObjectNode[7];
            for (int i = 0; i < large.length; i++) {
                large[i] = put("large" + i, "shop", "x".repeat(1_000_000));
            }
            Reply done = edge.admin().post("/change-sets", body(false, large));
            assertThat(done.status()).as(done.text()).isEqualTo(200);
            ObjectNode[] many = new ObjectNode[500];
            for (int i = 0; i < many.length; i++) {
                many[i] = put("many" + i, i % 2 == 0 ? "shop" : "", i);
            }
            Reply second500 = edge.admin().post("/change-sets", body(false, many));
            assertThat(second500.status()).as(second500.text()).isEqualTo(200);
            String upTo = Long.toString(second500.revision());
            for (TestNode node : List.of(first, second, edge)) {
                Reply layer =
                        node.anonymous().with("X-Min-Revision", upTo).get("/config/service/shop?environment=" + env);
                assertThat(layer.status()).as(layer.text().substring(0, 100)).isEqualTo(200);
                assertThat(layer.json()).hasSize(507);
                long after = done.json().get("first_revision").asLong() - 1;
                int seen = 0;
                while (seen < 507) {
                    JsonNode page =
                            node.anonymous().get("/changes?after=" + after).json();
                    assertThat(page.get("items")).isNotEmpty();
                    seen += page.get("items").size();
                    after = page.get("last_revision").asLong();
                }
                assertThat(seen).isEqualTo(507);
            }
            Reply body = first.admin().post("/change-sets", "{\"operations\":[\"" + "x".repeat(9 << 20) + "\"]}");
            assertThat(body.status()).isEqualTo(413);
        }
    }

    /** Sets of which some operations change nothing, while another node writes what they name: each is whole in the end. */
    @Test
    void aSetThatIsDecidedAgainIsDecidedWhole() throws Exception {
        try (TestNode first = TestNode.start(Map.of());
                TestNode second = first.join()) {
            AtomicBoolean isDone = new AtomicBoolean();
            ExecutorService pool = Executors.newFixedThreadPool(2);
            List<Future<Integer>> others = new ArrayList<>();
            for (String key : List.of("steady", "counter")) {
                others.add(pool.submit(() -> {
                    int writes = 0;
                    while (!isDone.get()) {
                        Reply reply = second.admin()
                                .put("/config/" + key + "?environment=" + env, "{\"value\":" + ++writes + "}");
                        assertThat(reply.status()).as(reply.text()).isBetween(200, 201);
                    }
                    return writes;
                }));
            }
            for (int n = 1; n <= 60; n++) {
                Reply done = first.admin()
                        .post(
                                "/change-sets?full=true",
                                body(
                                        false,
                                        put("steady", "", "s"),
                                        put("mine", "", n % 2),
                                        put("counter", "", "c"),
                                        put("last", "", "l")));
                assertThat(done.status()).as(done.text()).isEqualTo(200);
                for (JsonNode result : done.json().get("results")) {
                    boolean isUnchanged = result.get("action").asText().equals("unchanged");
                    assertThat(result.get("before").equals(result.get("after")))
                            .as(done.text())
                            .isEqualTo(isUnchanged);
                }
            }
            isDone.set(true);
            for (Future<Integer> other : others) {
                assertThat(other.get()).isPositive();
            }
            pool.shutdown();
            // what each set left, whole, stands in the log
            JsonNode history = first.admin().get("/audit/verify").json();
            assertThat(history.get("verified").asBoolean())
                    .as(history.toString())
                    .isTrue();
        }
    }

    /** Readers on two nodes and an edge look for a mix of two sets, in a merged layer and in single values. */
    @Test
    void nobodySeesAMixOfTwoSets() throws Exception {
        try (TestNode first = TestNode.start(Map.of());
                TestNode second = first.join();
                TestNode edge = first.edge(Map.of())) {
            ObjectNode[] start = operations(0);
            Reply started = first.admin().post("/change-sets", body(false, start));
            assertThat(started.status()).as(started.text()).isEqualTo(200);
            AtomicBoolean isDone = new AtomicBoolean();
            ExecutorService pool = Executors.newFixedThreadPool(9);
            List<Future<Integer>> readers = new ArrayList<>();
            for (TestNode node : List.of(first, second, edge)) {
                for (int i = 0; i < 3; i++) {
                    readers.add(pool.submit(() -> mixes(node.anonymous(), started.revision(), isDone)));
                }
            }
            for (int n = 1; n <= 60; n++) {
                Api writer = (n % 2 == 0 ? first : second).admin();
                Reply done = writer.post("/change-sets", body(false, operations(n)));
                assertThat(done.status()).as(done.text()).isEqualTo(200);
            }
            isDone.set(true);
            for (Future<Integer> reader : readers) {
                assertThat(reader.get()).isPositive();
            }
            pool.shutdown();
        }
    }

    /** Returns operations that give the same number to keys of a service and to shared ones, in turn. */
    private ObjectNode[] operations(int number) {
        ObjectNode[] operations = new ObjectNode[20];
        for (int i = 0; i < operations.length; i++) {
            operations[i] = put("k" + i, i % 2 == 0 ? "shop" : "", number);
        }
        return operations;
    }

    private int mixes(Api api, long since, AtomicBoolean isDone) {
        int reads = 0;
        while (!isDone.get() || reads == 0) {
            JsonNode layer = api.get("/config/service/shop?environment=" + env + "&min_revision=" + since)
                    .json();
            assertThat(layer).hasSize(20);
            int number = layer.get(0).get("value").asInt();
            layer.forEach(
                    c -> assertThat(c.get("value").asInt()).as(layer.toString()).isEqualTo(number));
            reads++;
        }
        return reads;
    }
}
