package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Unusual requests, which must never cause a 5xx status. */
class OddInputTest {
    private final Api admin = TestNode.shared().admin();

    @Property(tries = 150)
    void anyStringInAnyPlaceIsAnsweredWithoutAServerError(@ForAll String text) {
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

    /**
     * Sends {@code Expect: 100-continue}. The JDK's client waits for status 100 without a time limit. The service sends
     * it once credential, media type and length are accepted.
     */
    @Test
    void aClientThatExpectsContinueGetsAResponse() throws Exception {
        String body = "{\"environment\": \"odd\", \"keys\": []}";
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + TestNode.shared().port() + "/api/v1/config/bulk"))
                .expectContinue(true)
                .timeout(Duration.ofSeconds(10))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);

        assertThat(statusBeforeTheBody("/config/bulk", "application/json", body.length()))
                .isEqualTo(100);
        assertThat(statusBeforeTheBody("/config/bulk", "text/css", body.length()))
                .isEqualTo(415);
        assertThat(statusBeforeTheBody("/config/bulk", "application/json", 1L << 40))
                .isEqualTo(413);
        assertThat(statusBeforeTheBody("/config/", "application/json", body.length()))
                .isEqualTo(401);
    }

    private static int statusBeforeTheBody(String path, String type, long length) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), TestNode.shared().port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(("POST /api/v1" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type
                                    + "\r\nContent-Length: " + length + "\r\nExpect: 100-continue\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = socket.getInputStream().readNBytes("HTTP/1.1 100".length());
            return Integer.parseInt(new String(line, StandardCharsets.US_ASCII).substring("HTTP/1.1 ".length()));
        }
    }

    @Test
    void invalidNamesInPathsAreRefused() {
        for (String path :
                List.of("/config/%20", "/config/%2F", "/registry/%F0%9F%98%80", "/config/" + "x".repeat(2000))) {
            assertThat(admin.get(path).status()).as(path).isBetween(400, 499);
        }
        for (String path : List.of("/schemas/%00", "/schemas/%00/history", "/templates/a%00b/history", "/config/%00")) {
            assertThat(admin.get(path).status()).as(path).isEqualTo(404);
        }
        assertThat(admin.put("/config/not-an-id", "{}").text()).contains("environment", "is required");
        assertThat(admin.get("/config/not-an-id/history").status()).isEqualTo(404);
        assertThat(admin.get("/feature-flags/not-an-id").status()).isEqualTo(404);
    }
}
