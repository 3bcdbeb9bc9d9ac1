package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Reads as of an earlier moment. */
class PastTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final String env = "env-" + UUID.randomUUID();

    private String config(String key, String service) {
        return "/config/" + key + "?environment=" + env + (service.isEmpty() ? "" : "&service_name=" + service);
    }

    private long put(String key, String service, String value) {
        Reply done = admin.put(config(key, service), "{\"value\":" + value + "}");
        assertThat(done.status()).as(done.text()).isBetween(200, 201);
        return done.revision();
    }

    private List<String> keys(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        JsonNode items = reply.json().isArray() ? reply.json() : reply.json().get("items");
        List<String> keys = new ArrayList<>();
        items.forEach(c -> keys.add(c.get("key").asText() + "=" + c.get("value").asText()));
        return keys;
    }

    @Test
    void whoWaitsForARevisionToComeTakesNobodysTurn() {
        long known = put("a", "", "1");
        List<CompletableFuture<Reply>> waiting = new ArrayList<>();
        for (String ask :
                List.of(config("a", ""), "/export?environment=" + env, "/diff?environment=" + env + "&other=x")) {
            for (int i = 0; i < 8; i++) {
                waiting.add(CompletableFuture.supplyAsync(() -> anyone.get(ask + "&at=999999999999"), threads));
            }
        }
        for (int i = 0; i < 10; i++) {
            assertThat(anyone.get(config("a", "") + "&at=" + known).status()).isEqualTo(200);
        }
        waiting.forEach(w -> assertThat(w.join().text()).contains("behind"));
    }

    @Test
    void configurationsAreReadAsTheyWere() {
        long first = put("a", "", "1");
        String id = anyone.get(config("a", "")).field("id");
        long second = put("a", "shop", "2");
        long third = put("b", "", "3");
        admin.delete(config("a", "shop"));
        long deleted = put("a", "", "4");
        admin.delete(config("b", ""));
        put("b", "", "5");

        assertThat(anyone.get(config("a", "shop") + "&at=" + first).field("value"))
                .isEqualTo("1");
        Reply read = anyone.get(config("a", "shop") + "&at=" + second);
        assertThat(read.field("value")).isEqualTo("2");
        assertThat(read.header("X-Config-Revision")).isEqualTo(Long.toString(second));
        assertThat(anyone.get(config("a", "shop") + "&at=" + deleted).field("value"))
                .isEqualTo("4");
        assertThat(anyone.get(config("b", "") + "&at=" + second).status()).isEqualTo(404);
        assertThat(anyone.get(config("b", "") + "&at=" + third).field("value")).isEqualTo("3");
        assertThat(anyone.get("/config/" + id + "?at=" + second).field("value")).isEqualTo("1");
        assertThat(anyone.get("/config/" + id + "?at=" + (first - 1)).status()).isEqualTo(404);

        String layer = "/config/service/shop?environment=" + env + "&at=";
        assertThat(keys(anyone.get(layer + first))).containsExactly("a=1");
        assertThat(keys(anyone.get(layer + second))).containsExactly("a=2");
        assertThat(keys(anyone.get(layer + third))).containsExactly("a=2", "b=3");
        assertThat(keys(anyone.get(layer + deleted))).containsExactly("a=4", "b=3");
        assertThat(anyone.get(layer + third + "&format=env").text()).contains("A='2'", "B='3'");

        String list = "/config/?environment=" + env + "&at=" + third;
        assertThat(keys(anyone.get(list))).containsExactly("a=1", "a=2", "b=3");
        assertThat(keys(anyone.get(list + "&service_name="))).containsExactly("a=1", "b=3");
        assertThat(keys(anyone.get(list + "&prefix=b"))).containsExactly("b=3");
        Reply page = anyone.get(list + "&limit=2");
        assertThat(keys(page)).containsExactly("a=1", "a=2");
        assertThat(keys(anyone.get(list + "&limit=2&page_token=" + page.field("next_page_token"))))
                .containsExactly("b=3");
        Reply bulk = anyone.post(
                "/config/bulk?at=" + second,
                "{\"environment\":\"" + env + "\",\"service_name\":\"shop\",\"keys\":[\"a\",\"b\"]}");
        assertThat(bulk.json().at("/items/a/value").asText()).isEqualTo("2");
        assertThat(bulk.json().at("/missing/0").asText()).isEqualTo("b");
    }

    @Test
    void aTimeIsTheLastRevisionUpToIt() throws InterruptedException {
        put("t", "", "1");
        String time = anyone.get(config("t", "")).field("updated_at");
        Thread.onSpinWait();
        Instant later = Instant.parse(time).plusMillis(5);
        while (Instant.now().isBefore(later.plusMillis(5))) {
            Thread.onSpinWait();
        }
        put("t", "", "2");
        assertThat(anyone.get(config("t", "") + "&at=" + time).field("value")).isEqualTo("1");
        assertThat(anyone.get(config("t", "") + "&at=" + later).field("value")).isEqualTo("1");
        assertThat(anyone.get(config("t", "") + "&at=" + Instant.parse(time).minus(Duration.ofMillis(1)))
                        .status())
                .isEqualTo(404);
    }

    @Test
    void whatIsOrWasEncryptedHasNoValue() {
        admin.put(config("s", ""), "{\"value\":\"secret-1\",\"is_encrypted\":true}");
        long plain = put("p", "", "\"visible\"");
        long before = plain;
        admin.put(config("p", ""), "{\"value\":\"secret-2\",\"is_encrypted\":true}");
        for (String path : List.of(config("s", ""), config("p", ""))) {
            Reply read = admin.get(path + "&at=" + before);
            assertThat(read.status()).isEqualTo(200);
            assertThat(read.field("value")).isEqualTo("null");
        }
        Reply layer = admin.get("/config/service/x?environment=" + env + "&at=" + before);
        assertThat(layer.text()).doesNotContain("secret-").doesNotContain("visible");
        assertThat(admin.get("/config/service/x?environment=" + env + "&format=properties&at=" + before)
                        .text())
                .doesNotContain("s=")
                .doesNotContain("p=");
    }

    @Test
    void flagsAreReadAndEvaluatedAsTheyWere() {
        String flag = "/feature-flags/f?environment=" + env;
        long off = admin.put(flag, "{\"is_enabled\":false}").revision();
        long on = admin.put(flag, "{\"is_enabled\":true}").revision();
        admin.delete(flag);
        assertThat(anyone.get(flag + "&at=" + off).field("is_enabled")).isEqualTo("false");
        assertThat(anyone.get(flag + "&at=" + on).field("is_enabled")).isEqualTo("true");
        assertThat(anyone.get(flag).status()).isEqualTo(404);
        String body = "{\"flag_name\":\"f\",\"environment\":\"" + env + "\",\"user_id\":\"u\"}";
        assertThat(anyone.post("/feature-flags/evaluate?at=" + on, body).field("enabled"))
                .isEqualTo("true");
        assertThat(anyone.post("/feature-flags/evaluate?at=" + off, body).field("reason"))
                .isEqualTo("DISABLED");
        assertThat(anyone.post("/feature-flags/evaluate/bulk?at=" + on, "{\"environment\":\"" + env + "\"}")
                        .json()
                        .at("/items/f/enabled")
                        .asBoolean())
                .isTrue();
        assertThat(anyone.get("/feature-flags/?environment=" + env + "&at=" + on)
                        .json()
                        .get("items"))
                .hasSize(1);
        assertThat(anyone.get("/feature-flags/?environment=" + env + "&stale=true&at=" + on)
                        .status())
                .isEqualTo(400);
    }

    @Test
    void aRevisionWithinASetMeansItsEndAndWhatCannotBeToldIsRefused() {
        StringBuilder operations = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            operations
                    .append(i > 0 ? "," : "")
                    .append("{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"" + env
                            + "\",\"key\":\"k" + i + "\",\"value\":1}");
        }
        Reply set = admin.post("/change-sets", "{\"operations\":[" + operations + "]}");
        long first = set.json().get("first_revision").asLong();
        Reply inside = anyone.get("/config/?environment=" + env + "&at=" + (first + 1));
        assertThat(keys(inside)).hasSize(5);
        assertThat(inside.header("X-Config-Revision")).isEqualTo(Long.toString(first + 4));
        for (String wrong : List.of("x", "-1", "2999-01-01T00:00:00Z", "1e3", "")) {
            assertThat(anyone.get(config("a", "") + "&at=" + wrong).status())
                    .as(wrong)
                    .isEqualTo(400);
        }
        assertThat(anyone.get(config("k1", "") + "&at=" + (first + 1_000_000)).status())
                .isEqualTo(503);
        assertThat(anyone.get("/config/?at=" + first).text()).contains("environment");
    }

    @Test
    void anEdgeAsksACoreNode() {
        try (TestNode core = TestNode.start(Map.of());
                TestNode edge = core.edge(Map.of())) {
            long then =
                    core.admin().put("/config/a?environment=e", "{\"value\":1}").revision();
            core.admin().put("/config/a?environment=e", "{\"value\":2}");
            assertThat(edge.anonymous()
                            .get("/config/a?environment=e&at=" + then)
                            .field("value"))
                    .isEqualTo("1");
            assertThat(keys(edge.anonymous().get("/config/service/s?environment=e&at=" + then)))
                    .containsExactly("a=1");
        }
    }
}
