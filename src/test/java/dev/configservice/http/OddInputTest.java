package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Nothing that a caller sends makes a 5xx. */
class OddInputTest {
    private final Api admin = TestNode.shared().admin();

    @Property(tries = 150)
    void anyTextAnywhereIsAnsweredWithoutAFailure(@ForAll String text) {
        String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        String json = Json.write(com.fasterxml.jackson.databind.node.TextNode.valueOf(text));
        for (Reply reply : List.of(
                admin.get("/config?q=" + encoded + "&prefix=" + encoded),
                admin.get("/config/service/x?environment=" + encoded),
                admin.get("/config?page_token=" + encoded),
                admin.get("/feature-flags?tag=" + encoded + "&owner=" + encoded),
                admin.get("/audit?actor=" + encoded),
                admin.post(
                        "/config",
                        "{\"key\":" + json + ",\"value\":" + json + ",\"environment\":\"odd\",\"description\":" + json
                                + "}"),
                admin.post("/config", "{" + json + ":" + json + "}"),
                admin.post(
                        "/feature-flags/evaluate",
                        "{\"flag_name\":\"f\",\"user_id\":" + json + ",\"context\":{" + json + ":" + json + "}}"),
                admin.post(
                        "/registry/register",
                        "{\"service_name\":\"odd\",\"service_url\":" + json + ",\"metadata\":{\"m\":" + json + "}}"))) {
            assertThat(reply.status()).as(reply.text()).isLessThan(500);
        }
    }

    @Test
    void pathsThatAreNotWellFormedAreRefused() {
        for (String path :
                List.of("/config/%20", "/config/%2F", "/registry/%F0%9F%98%80", "/config/" + "x".repeat(2000))) {
            assertThat(admin.get(path).status()).as(path).isBetween(400, 499);
        }
        assertThat(admin.put("/config/not-an-id", "{}").status()).isEqualTo(404);
        assertThat(admin.get("/feature-flags/not-an-id").status()).isEqualTo(404);
    }
}
