package dev.configservice.resource;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Search over all kinds, and the list of what was deleted. */
class SearchTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String id = UUID.randomUUID().toString().substring(0, 13);
    private final String env = "env-" + id;

    private Reply put(String path, String body) {
        Reply written = admin.put(path, body);
        assertThat(written.status()).as(written.text()).isIn(200, 201);
        return written;
    }

    private List<String> found(Api api, String query) {
        Reply reply = api.get("/search?" + query);
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        List<String> all = new ArrayList<>();
        for (JsonNode item : reply.json().get("items")) {
            all.add(item.get("kind").asText() + " " + item.get("name").asText() + " "
                    + item.at("/match/field").asText());
        }
        return all;
    }

    @Test
    void resourcesOfAllKindsAndServicesAreFound() {
        put("/config/k-" + id + "?environment=" + env, "{\"value\": 1}");
        put("/config/described?environment=" + env, "{\"value\": 1, \"description\": \"see K-" + id + "!\"}");
        put("/config/valued?environment=" + env, "{\"value\": {\"host\": \"k-" + id + ".example\"}}");
        put("/config/hidden?environment=" + env, "{\"value\": \"k-" + id + "\", \"is_encrypted\": true}");
        put("/feature-flags/flag?environment=" + env, "{\"tags\": [\"k-" + id + "\"]}");
        put("/templates/t-k-" + id, "{}");
        put("/schemas/s-k-" + id, "{\"key_pattern\": \"nothing\", \"schema\": true}");
        admin.post(
                "/registry/register",
                "{\"service_name\": \"svc-k-%s\", \"service_url\": \"http://a:1\"}".formatted(id));

        assertThat(found(anyone, "q=K-" + id))
                .containsExactly(
                        "service svc-k-" + id + " name",
                        "configuration described description",
                        "feature_flag flag tags",
                        "configuration k-" + id + " key",
                        "schema s-k-" + id + " name",
                        "template t-k-" + id + " name",
                        "configuration valued value");
        assertThat(found(anyone, "q=k-" + id + "&kind=configuration&environment=" + env + "&limit=2"))
                .hasSize(2);
        assertThat(found(anyone, "q=k-" + id + "&environment=other-" + id))
                .containsExactly("service svc-k-" + id + " name");
        assertThat(anyone.get("/search?q=ab").status()).isEqualTo(400);
        assertThat(anyone.get("/search").status()).isEqualTo(400);
    }

    @Test
    void nobodyFindsWhatIsBeyondItsReach() {
        put("/config/secret-" + id + "?environment=" + env + "&service_name=a", "{\"value\": 1}");
        put("/config/secret-" + id + "?environment=" + env + "&service_name=b", "{\"value\": 1}");
        Api limited = anyone.key(admin.post(
                        "/access/keys",
                        "{\"name\": \"%s\", \"rights\": [\"read\"], \"service_names\": [\"a\"]}".formatted(env))
                .json()
                .get("key")
                .asText());

        assertThat(limited.get("/search?q=secret-" + id).json().get("items")).hasSize(1);
    }

    @Test
    void whatWasDeletedIsListedAsItWasUntilItsPathIsTakenAgain() {
        for (String key : List.of("a", "b", "c")) {
            put("/config/" + key + "?environment=" + env, "{\"value\": 1}");
            put("/config/" + key + "?environment=" + env, "{\"value\": \"last " + key + "\"}");
            assertThat(admin.delete("/config/" + key + "?environment=" + env).status())
                    .isEqualTo(204);
        }
        put("/config/b?environment=" + env, "{\"value\": 2}");
        put("/config/c?environment=" + env, "{\"value\": 3}");
        assertThat(admin.delete("/config/c?environment=" + env).status()).isEqualTo(204);
        put("/config/s?environment=" + env, "{\"value\": \"geheim\", \"is_encrypted\": true}");
        admin.delete("/config/s?environment=" + env);

        JsonNode items =
                admin.get("/config?deleted=true&environment=" + env).json().get("items");
        assertThat(items).hasSize(3);
        assertThat(items.at("/0/key").asText()).isEqualTo("a");
        assertThat(items.at("/0/value").asText()).isEqualTo("last a");
        assertThat(items.at("/1/value").asInt()).isEqualTo(3);
        assertThat(items.at("/2/value").isNull()).isTrue();
        Reply first = admin.get("/config?deleted=true&limit=1&environment=" + env);
        assertThat(first.json().get("items")).hasSize(1);
        JsonNode second = admin.get("/config?deleted=true&limit=5&environment=" + env + "&page_token="
                        + first.json().get("next_page_token").asText())
                .json();
        assertThat(second.get("items")).hasSize(2);
        assertThat(admin.get("/config?deleted=true&sort=-revision&q=A&environment=" + env)
                        .json()
                        .at("/items/0/key")
                        .asText())
                .isEqualTo("a");
        assertThat(admin.get("/config?deleted=true&at=1&environment=" + env).status())
                .isEqualTo(400);
        String brought = items.at("/0/id").asText();
        assertThat(admin.post("/config/" + brought + "/rollback", "{\"version\": 2}")
                        .status())
                .isEqualTo(200);
        assertThat(admin.get("/config?deleted=true&environment=" + env).json().get("items"))
                .hasSize(2);
    }
}
