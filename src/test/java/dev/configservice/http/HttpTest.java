package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** HTTP itself: codings, tags, credentials in several headers, and requests that no route sees. */
class HttpTest {
    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final String env = "env-" + UUID.randomUUID();

    private HttpResponse<byte[]> send(String method, String path, String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + node.port() + "/api/v1" + path))
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }

    private void create(String key, int length) {
        assertThat(admin.post(
                                "/config",
                                "{\"key\":\"" + key + "\",\"value\":\"" + "v".repeat(length) + "\",\"environment\":\""
                                        + env + "\"}")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void answersOfMiddleSizeAreCompressedForThoseWhoAcceptIt() throws Exception {
        create("small", 10);
        create("middle", 5000);
        create("large", 100_000);
        String query = "?environment=" + env;
        for (String accept : List.of("gzip", "deflate, gzip;q=0.5", "*", "GZIP")) {
            HttpResponse<byte[]> middle = send("GET", "/config/middle" + query, "", "Accept-Encoding", accept);
            assertThat(header(middle, "Content-Encoding")).as(accept).isEqualTo("gzip");
            assertThat(middle.body().length).isLessThan(1000);
            try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(middle.body()))) {
                assertThat(Json.read(in.readAllBytes()).get("value").asText()).hasSize(5000);
            }
            String tag = header(middle, "ETag");
            assertThat(tag).endsWith("-gz\"");
            assertThat(send("GET", "/config/middle" + query, "", "If-None-Match", tag)
                            .statusCode())
                    .isEqualTo(304);
            String plain = tag.replace("-gz", "");
            assertThat(send("GET", "/config/middle" + query, "", "If-None-Match", plain, "Accept-Encoding", "gzip")
                            .statusCode())
                    .isEqualTo(304);
            HttpResponse<byte[]> head = send("HEAD", "/config/middle" + query, "", "Accept-Encoding", accept);
            assertThat(header(head, "Content-Length")).isEqualTo(header(middle, "Content-Length"));
        }
        for (String accept : List.of("identity", "gzip;q=0", "gzip; q=0.0, *", "br")) {
            assertThat(header(send("GET", "/config/middle" + query, "", "Accept-Encoding", accept), "Content-Encoding"))
                    .as(accept)
                    .isEmpty();
        }
        for (String other : List.of("/config/small", "/config/large")) {
            assertThat(header(send("GET", other + query, "", "Accept-Encoding", "gzip"), "Content-Encoding"))
                    .isEmpty();
        }
        String id = admin.get("/config/middle" + query).field("id");
        String tag = header(send("GET", "/config/middle" + query, "", "Accept-Encoding", "gzip"), "ETag");
        assertThat(admin.with("If-Match", tag)
                        .put("/config/" + id, "{\"value\":1}")
                        .status())
                .isEqualTo(200);
        assertThat(admin.with("If-Match", tag)
                        .put("/config/" + id, "{\"value\":2}")
                        .status())
                .isEqualTo(412);
    }

    @Test
    void answersWithSecretsAreNeverCompressed() throws Exception {
        assertThat(admin.post(
                                "/config",
                                "{\"key\":\"secret\",\"value\":\"" + "s".repeat(5000) + "\",\"environment\":\"" + env
                                        + "\",\"is_encrypted\":true}")
                        .status())
                .isEqualTo(201);
        HttpResponse<byte[]> response = send(
                "GET",
                "/config/secret?environment=" + env,
                "",
                "Accept-Encoding",
                "gzip",
                "Authorization",
                "ApiKey " + TestNode.ADMIN_KEY);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(header(response, "Content-Encoding")).isEmpty();
        assertThat(header(response, "Cache-Control")).isEqualTo("no-store");
    }

    @Test
    void compressedBodiesAreRefusedClearly() throws Exception {
        HttpResponse<byte[]> response = send("POST", "/config/bulk", "x", "Content-Encoding", "gzip");
        assertThat(response.statusCode()).isEqualTo(415);
        assertThat(new String(response.body(), StandardCharsets.UTF_8)).contains("Content-Encoding");
    }

    @Test
    void listsHaveTags() throws Exception {
        String service = "tagged-" + env;
        assertThat(admin.post(
                                "/registry/register",
                                "{\"service_name\":\"" + service + "\",\"service_url\":\"http://a:1\"}")
                        .status())
                .isEqualTo(200);
        for (String path : List.of(
                "/registry/healthy",
                "/registry/",
                "/registry/prometheus-sd",
                "/registry/" + service + "/instances",
                "/audit",
                "/config?environment=" + env,
                "/feature-flags?environment=" + env,
                "/access/keys")) {
            int tries = 0;
            int status = 0;
            // the slot of heartbeats may end, or another test may write, between the two reads
            while (status != 304 && tries++ < 5) {
                Reply first = admin.get(path);
                assertThat(first.header("ETag")).as(path).isNotEmpty();
                status = admin.with("If-None-Match", first.header("ETag"))
                        .get(path)
                        .status();
            }
            assertThat(status).as(path).isEqualTo(304);
        }
    }

    @Test
    void aCredentialMayComeInSeveralWaysButNotInTwo() throws Exception {
        String key = TestNode.ADMIN_KEY;
        String basic =
                "Basic " + Base64.getEncoder().encodeToString(("anyone:" + key).getBytes(StandardCharsets.UTF_8));
        for (Map.Entry<String, String> carrier : List.of(
                Map.entry("Authorization", "ApiKey " + key),
                Map.entry("Authorization", "apikey  " + key),
                Map.entry("Authorization", basic),
                Map.entry("X-API-Key", key))) {
            HttpResponse<byte[]> self = send("GET", "/access/self", "", carrier.getKey(), carrier.getValue());
            assertThat(Json.read(self.body()).get("name").asText()).isEqualTo("admin");
            assertThat(header(self, "Cache-Control")).isEqualTo("private, no-cache");
            assertThat(header(self, "Vary")).contains("Authorization", "X-API-Key", "Accept-Encoding");
        }
        assertThat(send("GET", "/access/self", "", "Authorization", "ApiKey " + key, "X-API-Key", key)
                        .statusCode())
                .isEqualTo(200);
        assertThat(send("GET", "/access/self", "", "Authorization", "ApiKey " + key, "X-API-Key", "other")
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("GET", "/access/self", "", "Authorization", "Basic %%%").statusCode())
                .isEqualTo(401);
        HttpResponse<byte[]> refused = send("GET", "/access/keys", "");
        assertThat(refused.headers().allValues("WWW-Authenticate"))
                .noneMatch(v -> v.toLowerCase(Locale.ROOT).startsWith("basic"));
        // a page of another origin cannot use what the browser adds by itself
        String body = "{\"key\":\"k\",\"value\":1,\"environment\":\"" + env + "\"}";
        assertThat(send("POST", "/config", body, "Authorization", basic, "Origin", "http://evil.example")
                        .statusCode())
                .isEqualTo(403);
        assertThat(send("POST", "/config", body, "Authorization", basic, "Sec-Fetch-Site", "cross-site")
                        .statusCode())
                .isEqualTo(403);
        assertThat(send("POST", "/config", body, "Authorization", basic, "Origin", "http://127.0.0.1:" + node.port())
                        .statusCode())
                .isEqualTo(201);
    }

    @Test
    void theHeadersOfAStreamAreThoseOfItsHead() throws Exception {
        HttpResponse<byte[]> head = send("HEAD", "/changes/stream", "");
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(header(head, "Content-Type")).isEqualTo("text/event-stream");
        assertThat(header(head, "Cache-Control")).isEqualTo("no-store");
        assertThat(header(head, "X-Accel-Buffering")).isEqualTo("no");
    }

    /** Sends bytes as they are, and returns everything until the server closes the connection, or 2 s. */
    private String raw(String text) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
            socket.setSoTimeout(5000);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void whatTheDecoderRefusesIsAProblemAndEndsTheConnection() throws IOException {
        for (Map.Entry<String, Integer> request : Map.of(
                        "GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                        414,
                        "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(40_000) + "\r\n\r\n",
                        431,
                        "GET / HTTP/1.1\r\nHost: localhost\r\nno colon here\r\n\r\n",
                        400,
                        "POST /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n",
                        400,
                        "POST /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                        400,
                        "nonsense\r\n\r\n",
                        400)
                .entrySet()) {
            String response = raw(request.getKey());
            String shown =
                    request.getKey().substring(0, Math.min(60, request.getKey().length()));
            assertThat(response).as(shown).matches("(?s)HTTP/1[.][01] " + request.getValue() + " .*");
            assertThat(response.toLowerCase(Locale.ROOT)).contains("connection: close", "application/problem+json");
            JsonNode problem = Json.read(response.substring(response.indexOf("\r\n\r\n") + 4));
            assertThat(problem.get("status").asInt()).isEqualTo(request.getValue());
            assertThat(problem.get("request_id").asText()).isNotEmpty();
        }
    }

    @Test
    void requestsWithoutAPathAreAnswered() throws IOException {
        assertThat(raw("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 204")
                .containsIgnoringCase("allow: GET");
        assertThat(raw("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"))
                .startsWith("HTTP/1.1 405");
    }

    private double serverErrors() {
        return node.anonymous()
                .get("/metrics")
                .text()
                .lines()
                .filter(l -> l.startsWith("config_service_http_requests_seconds_count") && l.contains("status=\"5"))
                .filter(l -> !l.contains("/ready") && !l.contains("/health"))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void abortedUploadsAndBadChunksAreNoServerErrors() throws IOException {
        double before = serverErrors();
        String head = "POST /api/v1/config/bulk HTTP/1.1\r\nHost: localhost\r\n";
        for (String request : List.of(
                head + "Content-Length: 100\r\n\r\n{\"envi",
                head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"env\r\nnonsense\r\n",
                head + "Transfer-Encoding: chunked\r\n\r\n-5\r\nabc",
                head + "Transfer-Encoding: chunked\r\n\r\n")) {
            String response = raw(request);
            if (!response.isEmpty()) {
                assertThat(response).startsWith("HTTP/1.1 4");
            }
        }
        assertThat(serverErrors()).isEqualTo(before);
    }
}
