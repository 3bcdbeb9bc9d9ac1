package dev.configservice.facade.consul;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Keys and values of Consul, as its clients ask. */
class ConsulKeysTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String id = UUID.randomUUID().toString().substring(0, 8);
    private final String shop = "shop-" + id;
    private final String env = "env-" + id;

    private void put(String key, String value) {
        Reply done = admin.put("/v1/kv/" + key, value);
        assertThat(done.status()).as(done.text()).isEqualTo(200);
        assertThat(done.text()).isEqualTo("true");
    }

    private static String value(JsonNode entry) {
        return new String(Base64.getDecoder().decode(entry.get("Value").asText()), StandardCharsets.UTF_8);
    }

    private List<String> keys(String path) {
        List<String> keys = new ArrayList<>();
        anyone.get("/v1/kv/" + path)
                .json()
                .forEach(k -> keys.add(k.isTextual() ? k.asText() : k.get("Key").asText()));
        return keys;
    }

    @Test
    void aKeyBelowConfigIsAConfigurationOfAService() {
        put("config/" + shop + "," + env + "/db/url", "jdbc:x");
        Reply own = anyone.get("/config/db.url?environment=" + env + "&service_name=" + shop);
        assertThat(own.field("value")).isEqualTo("jdbc:x");

        Reply read = anyone.get("/v1/kv/config/" + shop + "," + env + "/db/url");
        JsonNode entry = read.json().get(0);
        assertThat(value(entry)).isEqualTo("jdbc:x");
        assertThat(entry.get("Key").asText()).isEqualTo("config/" + shop + "," + env + "/db/url");
        assertThat(entry.get("ModifyIndex").asText()).isEqualTo(own.field("revision"));
        assertThat(entry.get("Flags").asInt()).isZero();
        assertThat(entry.get("LockIndex").asInt()).isZero();
        assertThat(read.header("X-Consul-Index")).isEqualTo(own.field("revision"));

        Reply raw = anyone.get("/v1/kv/config/" + shop + "," + env + "/db/url?raw");
        assertThat(raw.text()).isEqualTo("jdbc:x");
        assertThat(raw.header("Content-Type")).isEqualTo("application/octet-stream");
        assertThat(raw.header("X-Content-Type-Options")).isEqualTo("nosniff");
    }

    @Test
    void withoutAnEnvironmentItIsTheBaseOneAndApplicationIsWhatAllShare() {
        put("config/" + shop + "/a", "1");
        assertThat(anyone.get("/config/a?environment=default&service_name=" + shop)
                        .field("value"))
                .isEqualTo("1");
        put("config/application," + env + "/a", "2");
        assertThat(anyone.get("/config/a?environment=" + env).field("service_name"))
                .isEqualTo("null");
        assertThat(keys("config/application," + env + "/?recurse")).containsExactly("config/application," + env + "/a");
        assertThat(keys("config/" + shop + "?recurse")).containsExactly("config/" + shop + "/a");
        assertThat(keys("config/" + shop + "?keys&separator=/")).containsExactly("config/" + shop + "/");
    }

    @Test
    void otherKeysAreConfigurationsOfTheirOwnEnvironment() {
        put("app-" + id + "/feature/on", "yes");
        put("app-" + id + "/feature.txt", "text");
        assertThat(anyone.get("/config/app-" + id + ":feature:on?environment=consul")
                        .field("value"))
                .isEqualTo("yes");
        assertThat(keys("app-" + id + "/?recurse"))
                .containsExactly("app-" + id + "/feature.txt", "app-" + id + "/feature/on");
        assertThat(keys("app-" + id + "/?keys&separator=/"))
                .containsExactly("app-" + id + "/feature.txt", "app-" + id + "/feature/");
        assertThat(keys("?keys")).contains("app-" + id + "/feature/on");
        put("app-" + id + "/folder/", "");
        assertThat(keys("app-" + id + "/?keys")).hasSize(2);
    }

    @Test
    void valuesOfAnyTypeAreReadAndSecretsOnlyByThoseWhoMay() {
        String at = "?environment=" + env + "&service_name=" + shop;
        admin.put("/config/n" + at, "{\"value\":5}");
        admin.put("/config/o" + at, "{\"value\":{\"a\":[1]}}");
        admin.put("/config/s" + at, "{\"value\":\"secret\",\"is_encrypted\":true}");
        String context = "config/" + shop + "," + env + "/";
        assertThat(keys(context + "?recurse")).containsExactly(context + "n", context + "o");
        assertThat(keys(context + "?keys")).containsExactly(context + "n", context + "o");
        assertThat(value(anyone.get("/v1/kv/" + context + "o").json().get(0))).isEqualTo("{\"a\":[1]}");
        assertThat(anyone.get("/v1/kv/" + context + "s").status()).isEqualTo(404);
        Reply all = admin.get("/v1/kv/" + context + "?recurse");
        assertThat(all.json()).hasSize(3);
        assertThat(value(all.json().get(2))).isEqualTo("secret");
        assertThat(all.header("Cache-Control")).contains("no-store");
        put(context + "s", "new secret");
        assertThat(admin.get("/config/s" + at).field("is_encrypted")).isEqualTo("true");
        assertThat(value(admin.with("X-Consul-Token", "")
                        .get("/v1/kv/" + context + "s?token=" + TestNode.ADMIN_KEY)
                        .json()
                        .get(0)))
                .isEqualTo("new secret");
    }

    @Test
    void casOnlyWritesOverWhatWasRead() {
        String key = "/v1/kv/cas-" + id;
        assertThat(admin.put(key + "?cas=7", "x").text()).isEqualTo("false");
        assertThat(admin.put(key + "?cas=0", "a").text()).isEqualTo("true");
        assertThat(admin.put(key + "?cas=0", "b").text()).isEqualTo("false");
        String index = anyone.get(key).json().get(0).get("ModifyIndex").asText();
        assertThat(admin.put(key + "?cas=" + index, "b").text()).isEqualTo("true");
        assertThat(admin.put(key + "?cas=" + index, "c").text()).isEqualTo("false");
        assertThat(anyone.get(key + "?raw").text()).isEqualTo("b");
        assertThat(admin.delete(key + "?cas=" + index).text()).isEqualTo("false");
        index = anyone.get(key).json().get(0).get("ModifyIndex").asText();
        assertThat(admin.delete(key + "?cas=" + index).text()).isEqualTo("true");
        assertThat(admin.delete(key).text()).isEqualTo("true");
    }

    @Test
    void whatIsNotThereIs404WithAnIndex() {
        Reply missing = anyone.get("/v1/kv/config/" + shop + "/?recurse&wait=1s");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.text()).isEmpty();
        assertThat(Long.parseLong(missing.header("X-Consul-Index"))).isPositive();
        assertThat(anyone.get("/v1/kv/config/" + shop).status()).isEqualTo(404);
        assertThat(anyone.get("/v1/kv/config/" + shop + "/a?keys").status()).isEqualTo(404);
    }

    @Test
    void aReadWaitsForAChangeOfItsLayer() throws Exception {
        put("config/" + shop + "/a", "1");
        String path = "/v1/kv/config/" + shop + "/?recurse";
        String index = anyone.get(path).header("X-Consul-Index");
        CompletableFuture<Reply> waiting =
                CompletableFuture.supplyAsync(() -> anyone.get(path + "&wait=15s&index=" + index));
        put("config/other-" + id + "/a", "1");
        assertThat(waiting.isDone()).isFalse();
        put("config/" + shop + "/b", "2");
        Reply woken = waiting.get(5, TimeUnit.SECONDS);
        assertThat(woken.json()).hasSize(2);
        assertThat(woken.header("X-Consul-Index")).isNotEqualTo(index);
        Reply same = anyone.get(path + "&wait=200ms&index=" + woken.header("X-Consul-Index"));
        assertThat(same.header("X-Consul-Index")).isEqualTo(woken.header("X-Consul-Index"));
        assertThat(anyone.get(path + "&index=abc").status()).isEqualTo(400);
    }

    @Test
    void deletingTheLastKeyWakesAndIsShown() throws Exception {
        put("config/" + shop + "/a", "1");
        put("config/" + shop + "/b/c", "1");
        String path = "/v1/kv/config/" + shop + "/?recurse";
        String index = anyone.get(path).header("X-Consul-Index");
        assertThat(admin.delete("/v1/kv/config/" + shop + "/?recurse").text()).isEqualTo("true");
        Reply gone = anyone.get(path + "&wait=15s&index=" + index);
        assertThat(gone.status()).isEqualTo(404);
        assertThat(Long.parseLong(gone.header("X-Consul-Index"))).isGreaterThan(Long.parseLong(index));
    }

    @Test
    void whatCannotBeHeldIsRefused() {
        for (String key : List.of(
                "config/" + shop, "config/x%20y/a", "config/" + shop + ",a,b/k", "a:b", "a,b", "x".repeat(256), "")) {
            Reply refused = admin.put("/v1/kv/" + key, "x");
            assertThat(refused.status()).as(key).isEqualTo(400);
        }
        assertThat(admin.put("/v1/kv/k-" + id + "?flags=42", "x").status()).isEqualTo(400);
        assertThat(admin.put("/v1/kv/k-" + id + "?acquire=s", "x").status()).isEqualTo(400);
        assertThat(admin.put("/v1/kv/k-" + id + "?cas=x", "x").status()).isEqualTo(400);
        assertThat(admin.put("/v1/kv/k-" + id, "x".repeat(512 * 1024 + 1)).status())
                .isEqualTo(413);
        assertThat(admin.put("/v1/kv/k-" + id, "x".repeat(512 * 1024)).status()).isEqualTo(200);
        assertThat(anyone.put("/v1/kv/k-" + id, "x").status()).isEqualTo(403);
        assertThat(admin.delete("/v1/kv/?recurse").status()).isEqualTo(400);
    }

    @Test
    void anEdgeReadsAndWritesTheSame() {
        try (TestNode core = TestNode.start(Map.of());
                TestNode edge = core.edge(Map.of())) {
            assertThat(edge.admin().put("/v1/kv/config/shop/a", "1").text()).isEqualTo("true");
            assertThat(edge.anonymous().get("/v1/kv/config/shop/a?raw").text()).isEqualTo("1");
            assertThat(edge.anonymous().get("/v1/kv/?keys").text()).isEqualTo("[\"config/shop/a\"]");
            assertThat(edge.admin().put("/v1/kv/config/shop/a?cas=77", "2").text())
                    .isEqualTo("false");
            assertThat(edge.admin().delete("/v1/kv/config/shop/?recurse").text())
                    .isEqualTo("true");
            assertThat(edge.anonymous().get("/v1/kv/?keys").status()).isEqualTo(404);
        }
    }
}
