package dev.configservice.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The comparison of environments and moments. */
class DiffTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String one = "one-" + UUID.randomUUID();
    private final String two = "two-" + UUID.randomUUID();

    private long put(String env, String key, String service, String fields) {
        Reply done = admin.put(
                "/config/" + key + "?environment=" + env + (service.isEmpty() ? "" : "&service_name=" + service),
                fields);
        assertThat(done.status()).as(done.text()).isBetween(200, 201);
        return done.revision();
    }

    private static List<String> statuses(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        List<String> statuses = new ArrayList<>();
        for (JsonNode i : reply.json().get("items")) {
            statuses.add(i.get("key").asText() + " " + i.get("service_name").asText() + " "
                    + i.get("status").asText());
        }
        return statuses;
    }

    @Test
    void environmentsAreComparedKeyByKey() {
        for (String env : List.of(one, two)) {
            put(env, "same", "", "{\"value\":{\"a\":1}}");
            put(env, "own", "shop", "{\"value\":\"" + env + "\"}");
        }
        put(one, "left", "", "{\"value\":1}");
        put(two, "right", "shop", "{\"value\":2}");
        String path = "/diff?environment=" + one + "&other=" + two;
        Reply all = anyone.get(path);
        assertThat(statuses(all))
                .containsExactly("left null only_left", "own shop changed", "right shop only_right", "same null same");
        assertThat(all.json().at("/items/1/left/value").asText()).isEqualTo(one);
        assertThat(all.json().at("/items/1/right/value").asText()).isEqualTo(two);
        assertThat(all.json().at("/items/0/right").isNull()).isTrue();
        assertThat(statuses(anyone.get(path + "&only=differences"))).hasSize(3);
        assertThat(statuses(anyone.get(path + "&service_name=")))
                .containsExactly("left null only_left", "same null same");
        assertThat(statuses(anyone.get(path + "&service_name=shop"))).hasSize(2);
        Reply page = anyone.get(path + "&limit=3");
        assertThat(statuses(page)).hasSize(3);
        assertThat(statuses(anyone.get(path + "&limit=3&page_token=" + page.field("next_page_token"))))
                .containsExactly("same null same");
    }

    @Test
    void oneEnvironmentIsComparedWithWhatItWas() {
        long before = put(one, "a", "", "{\"value\":1}");
        put(one, "b", "", "{\"value\":1}");
        long between = put(one, "a", "", "{\"value\":2}");
        admin.delete("/config/b?environment=" + one);
        String path = "/diff?environment=" + one + "&at=" + before;
        assertThat(statuses(anyone.get(path))).containsExactly("a null changed");
        assertThat(statuses(anyone.get(path + "&other_at=" + between)))
                .containsExactly("a null changed", "b null only_right");
        assertThat(anyone.get("/diff?environment=" + one).text()).contains("other");
        assertThat(anyone.get("/diff?other=" + one).text()).contains("environment");
    }

    @Test
    void servicesAreComparedByTheNamesOfTheirKeys() {
        put(one, "same", "shop", "{\"value\":1}");
        put(one, "same", "pay", "{\"value\":1}");
        put(one, "url", "shop", "{\"value\":\"a\"}");
        put(one, "url", "pay", "{\"value\":\"b\"}");
        put(one, "own", "pay", "{\"value\":1}");
        put(two, "url", "pay", "{\"value\":\"a\"}");
        put(one, "url", "", "{\"value\":\"a\"}");
        String path = "/diff?environment=" + one + "&service_name=shop";
        Reply services = anyone.get(path + "&other_service_name=pay");
        assertThat(statuses(services)).containsExactly("own shop only_right", "same shop same", "url shop changed");
        assertThat(services.json().at("/items/2/other_service_name").asText()).isEqualTo("pay");
        assertThat(services.json().at("/items/2/right/value").asText()).isEqualTo("b");
        assertThat(statuses(anyone.get(path + "&other_service_name=pay&other=" + two)))
                .containsExactly("same shop only_left", "url shop same");
        assertThat(statuses(anyone.get(path + "&other_service_name=")))
                .containsExactly("same shop only_left", "url shop same");
        Reply refused = anyone.get("/diff?environment=" + one + "&other_service_name=pay");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text()).contains("service_name", "is required with other_service_name");
    }

    @Test
    void encryptedValuesAreComparedOnlyForThoseWhoMaySeeThem() {
        put(one, "s", "", "{\"value\":\"secret-1\",\"is_encrypted\":true}");
        put(two, "s", "", "{\"value\":\"secret-1\",\"is_encrypted\":true}");
        long before = put(one, "t", "", "{\"value\":\"secret-1\",\"is_encrypted\":true}");
        put(two, "t", "", "{\"value\":\"secret-2\",\"is_encrypted\":true}");
        String path = "/diff?environment=" + one + "&other=" + two;
        assertThat(statuses(anyone.get(path))).containsExactly("s null unknown", "t null unknown");
        Reply seen = admin.get(path);
        assertThat(statuses(seen)).containsExactly("s null same", "t null changed");
        assertThat(seen.text()).doesNotContain("secret-");
        // one that is the same version tells nothing
        assertThat(statuses(anyone.get("/diff?environment=" + one + "&at=" + before)))
                .containsExactly("s null same", "t null same");
        put(one, "t", "", "{\"value\":\"secret-3\"}");
        assertThat(statuses(admin.get("/diff?environment=" + one + "&at=" + before)))
                .containsExactly("s null same", "t null unknown");
    }

    @Test
    void itIsCutToTheReachOfTheCaller() {
        put(one, "a", "shop", "{\"value\":1}");
        put(one, "a", "other", "{\"value\":1}");
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"k-" + UUID.randomUUID() + "\",\"rights\":[\"read\"],\"service_names\":[\"shop\"]}")
                .field("key");
        assertThat(statuses(anyone.key(key).get("/diff?environment=" + one + "&other=" + two)))
                .containsExactly("a shop only_left");
    }
}
