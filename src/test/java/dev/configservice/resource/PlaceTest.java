package dev.configservice.resource;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The lists of environments and services. */
class PlaceTest {
    private static List<String> names(Reply reply) {
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        List<String> names = new ArrayList<>();
        for (JsonNode i : reply.json().get("items")) {
            names.add(i.get("name").asText() + " " + i.get("configurations") + " " + i.get("feature_flags") + " "
                    + i.get("instances"));
        }
        return names;
    }

    @Test
    void theyCountWhatIsThereInTheReachOfTheCaller() {
        try (TestNode node = TestNode.start(Map.of());
                TestNode edge = node.edge(Map.of())) {
            Api admin = node.admin();
            admin.put("/config/a?environment=prod", "{\"value\":1}");
            admin.put("/config/a?environment=prod&service_name=shop", "{\"value\":1}");
            admin.put("/config/b?environment=prod&service_name=shop", "{\"value\":1}");
            admin.put("/config/a?environment=Test&service_name=other", "{\"value\":1}");
            Reply flag = admin.put("/feature-flags/f?environment=prod", "{}");
            admin.post("/registry/register", "{\"service_name\":\"shop\",\"service_url\":\"http://10.0.0.1:80\"}");
            admin.put("/config/gone?environment=gone", "{\"value\":1}");
            admin.delete("/config/gone?environment=gone");

            Api anyone = node.anonymous();
            assertThat(names(anyone.get("/environments"))).containsExactly("Test 1 0 0", "prod 3 1 0");
            assertThat(anyone.get("/environments")
                            .json()
                            .at("/items/1/revision")
                            .asLong())
                    .isEqualTo(flag.revision());
            assertThat(names(anyone.get("/services"))).containsExactly("other 1 0 0", "shop 2 0 1");
            assertThat(names(anyone.get("/services?environment=Test"))).containsExactly("other 1 0 0", "shop 0 0 1");
            Reply page = anyone.get("/environments?limit=1");
            assertThat(names(page)).containsExactly("Test 1 0 0");
            assertThat(names(anyone.get("/environments?limit=1&page_token=" + page.field("next_page_token"))))
                    .containsExactly("prod 3 1 0");
            assertThat(names(edge.anonymous().get("/services/"))).hasSize(2);
            String key = admin.post(
                            "/access/keys",
                            "{\"name\":\"limited\",\"rights\":[\"read\"],\"service_names\":[\"other\"]}")
                    .field("key");
            assertThat(names(anyone.key(key).get("/environments"))).containsExactly("Test 1 0 0", "prod 1 1 0");
            assertThat(names(anyone.key(key).get("/services"))).containsExactly("other 1 0 0");
        }
    }
}
