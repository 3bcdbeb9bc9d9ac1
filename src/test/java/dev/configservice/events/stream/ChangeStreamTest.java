package dev.configservice.events.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ChangeStreamTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private Reply create(String key, String service) {
        return admin.post(
                "/config",
                "{\"key\":\"" + key + "\",\"value\":\"v\",\"environment\":\"" + env + "\""
                        + (service.isEmpty() ? "" : ",\"service_name\":\"" + service + "\"") + "}");
    }

    @Test
    void aStreamSendsHelloAndThenEveryMatchingChange() {
        try (EventStream stream = new EventStream(anyone, "?environment=" + env + "&service_name=s")) {
            EventStream.Event hello = stream.next();
            assertThat(hello.type()).isEqualTo("hello");
            assertThat(hello.data().get("revision").asLong()).isEqualTo(hello.id());

            create("other", "t");
            Reply shared = create("shared", "");
            Reply own = create("own", "s");
            admin.delete("/config/" + own.field("id"));

            EventStream.Event first = stream.nextChange();
            assertThat(first.id()).isEqualTo(shared.revision());
            assertThat(first.type()).isEqualTo("configuration.created");
            assertThat(first.data().get("data").get("key").asText()).isEqualTo("shared");
            assertThat(first.data().get("actor").isNull()).isTrue();
            assertThat(stream.nextChange().data().get("data").get("value").asText())
                    .isEqualTo("v");
            EventStream.Event deleted = stream.nextChange();
            assertThat(deleted.type()).isEqualTo("configuration.deleted");
            assertThat(deleted.data().get("data").get("version").asInt()).isEqualTo(2);
        }
    }

    @Test
    void aStreamResumesOnAnyNodeWithoutLosingChanges() {
        try (TestNode node = TestNode.start(Map.of());
                TestNode other = node.join()) {
            int changes = 300;
            CompletableFuture<List<Long>> written = CompletableFuture.supplyAsync(() -> {
                List<Long> revisions = new ArrayList<>();
                for (int i = 0; i < changes; i++) {
                    revisions.add(node.admin()
                            .post("/config", "{\"key\":\"k" + i + "\",\"value\":1,\"environment\":\"e\"}")
                            .revision());
                }
                return revisions;
            });
            List<Long> seen = new ArrayList<>();
            long last = 0;
            boolean here = false;
            while (seen.size() < changes) {
                here = !here;
                Api api = here ? node.anonymous() : other.anonymous();
                // disconnects in the middle, again and again, and resumes on the other node
                try (EventStream stream =
                        new EventStream(api, "?environment=e", "Last-Event-ID", Long.toString(last))) {
                    assertThat(stream.next().type()).isEqualTo("hello");
                    for (int i = 0; i < 37 && seen.size() < changes; i++) {
                        EventStream.Event event = stream.nextChange();
                        assertThat(event.type()).isEqualTo("configuration.created");
                        last = event.id();
                        seen.add(last);
                    }
                }
            }
            assertThat(seen).isEqualTo(written.join());
        }
    }

    @Test
    void eventsDoNotContainEncryptedValues() {
        Reply secret = admin.post(
                "/config",
                "{\"key\":\"s\",\"value\":\"hidden-value\",\"environment\":\"" + env + "\",\"is_encrypted\":true}");
        JsonNode items = admin.get("/changes?environment=" + env + "&after=" + (secret.revision() - 1))
                .json()
                .get("items");
        assertThat(items.get(0).get("data").has("value")).isFalse();
        assertThat(items.get(0).at("/actor/name").asText()).isEqualTo("admin");
        assertThat(items.toString()).doesNotContain("hidden-value");
    }

    @Test
    void aPositionThatIsNotInTheLogCausesAResync() {
        try (EventStream stream = new EventStream(anyone, "", "Last-Event-ID", "999999999")) {
            assertThat(stream.next().type()).isEqualTo("hello");
            assertThat(stream.next().type()).isEqualTo("resync");
        }
        try (EventStream stream = new EventStream(anyone, "", "Last-Event-ID", "soon")) {
            assertThat(stream.status()).isEqualTo(400);
        }
        assertThat(anyone.get("/changes?after=999999999").status()).isEqualTo(410);
    }

    @Test
    void aCallerSeesOnlyWhatItMayRead() {
        String key = admin.post(
                        "/access/keys",
                        "{\"name\":\"l\",\"rights\":[\"read\"],\"environments\":[\"" + env
                                + "\"],\"service_names\":[\"a\"]}")
                .field("key");
        try (EventStream stream = new EventStream(anyone, "?access_token=" + key)) {
            stream.next();
            create("of-b", "b");
            admin.post("/config", "{\"key\":\"x\",\"value\":1,\"environment\":\"other-" + env + "\"}");
            create("of-a", "a");
            assertThat(stream.nextChange().data().get("data").get("key").asText())
                    .isEqualTo("of-a");

            String id = key.substring(3, 39);
            assertThat(admin.delete("/access/keys/" + id).status()).isEqualTo(204);
            assertThat(stream.nextChange().type()).isEqualTo("retry");
            assertThat(stream.next().type()).isEqualTo("end");
        }
    }

    @Test
    void aPollWaitsForTheFirstMatchingChange() throws Exception {
        long after = create("first", "s").revision();
        CompletableFuture<Reply> waiting = CompletableFuture.supplyAsync(
                () -> anyone.get("/changes?wait=20&environment=" + env + "&service_name=s&after=" + after));
        create("of-another", "t");
        Reply own = create("second", "s");

        Reply reply = waiting.get(10, TimeUnit.SECONDS);
        assertThat(reply.json().get("items")).hasSize(1);
        assertThat(reply.json().get("items").get(0).get("revision").asLong()).isEqualTo(own.revision());
        assertThat(reply.json().get("last_revision").asLong()).isGreaterThanOrEqualTo(own.revision());

        Reply empty = anyone.get("/changes?wait=1&environment=" + env + "&after="
                + reply.json().get("last_revision").asLong());
        assertThat(empty.json().get("items")).isEmpty();
        assertThat(anyone.get("/changes?wait=61").status()).isEqualTo(400);
        assertThat(anyone.get("/changes?environment=" + env + "&key_prefix=fi")
                        .json()
                        .get("items"))
                .hasSize(1);
    }

    @Test
    void newStreamsAreRefusedAtTheLimitAndOpenOnesContinue() {
        try (TestNode node = TestNode.start(Map.of("CS_CHANGES_MAX_STREAMS", "1"));
                EventStream first = new EventStream(node.anonymous(), "")) {
            assertThat(first.next().type()).isEqualTo("hello");
            try (EventStream second = new EventStream(node.anonymous(), "")) {
                assertThat(second.status()).isEqualTo(503);
            }
            node.admin().post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}");
            assertThat(first.nextChange().type()).isEqualTo("configuration.created");
        }
    }

    @Test
    void theAuditShowsActorCommentAndTheStatesBeforeAndAfter() {
        Reply created = create("audited", "s");
        String path = "/config/" + created.field("id");
        admin.put(path, "{\"value\":\"new\",\"comment\":\"because\"}");

        Reply audit = admin.get("/audit?resource_id=" + created.field("id"));
        JsonNode last = audit.json().get("items").get(0);
        assertThat(last.at("/actor/name").asText()).isEqualTo("admin");
        assertThat(last.get("comment").asText()).isEqualTo("because");
        assertThat(last.get("before").get("value").asText()).isEqualTo("v");
        assertThat(last.get("after").get("value").asText()).isEqualTo("new");
        assertThat(audit.json().get("items").get(1).get("before").isNull()).isTrue();
        assertThat(anyone.get("/audit").status()).isEqualTo(401);
        Reply key = admin.post("/access/keys", "{\"name\":\"audited-key\",\"rights\":[\"read\"]}");
        assertThat(admin.get("/audit?resource_type=access_key&resource_id=" + key.field("id"))
                        .text())
                .contains("audited-key")
                .doesNotContain("hash");

        Reply secret = admin.post(
                "/config", "{\"key\":\"s\",\"value\":\"sec\",\"environment\":\"" + env + "\",\"is_encrypted\":true}");
        assertThat(admin.get("/config/s?environment=" + env).status()).isEqualTo(200);
        // the response to the write counts as a read, too
        await().untilAsserted(
                        () -> assertThat(admin.get("/audit?resource_type=secret_read&resource_id=" + secret.field("id"))
                                        .json()
                                        .get("items"))
                                .hasSize(2));
    }

    @Test
    void tamperingBreaksTheChainOfHashes() {
        try (TestNode node = TestNode.start(Map.of())) {
            long revision = 0;
            for (int i = 0; i < 5; i++) {
                revision = node.admin()
                        .post("/config", "{\"key\":\"k" + i + "\",\"value\":\"old\",\"environment\":\"e\"}")
                        .revision();
            }
            Reply good = node.admin().get("/audit/verify");
            assertThat(good.json().get("verified").asBoolean()).isTrue();
            assertThat(good.json().get("to").asLong()).isEqualTo(revision);

            node.sql("update changes set row = replace(row::text, 'old', 'new')::json where revision = 3");
            Reply bad = node.admin().get("/audit/verify");
            assertThat(bad.json().get("verified").asBoolean()).isFalse();
            assertThat(bad.json().get("first_break").asLong()).isEqualTo(3);
            assertThat(node.admin()
                            .get("/audit/verify?from=4")
                            .json()
                            .get("verified")
                            .asBoolean())
                    .isTrue();
        }
    }

    @Test
    void aRefusedStreamGetsAnOrdinaryErrorResponse() throws Exception {
        HttpRequest refused = HttpRequest.newBuilder(
                        URI.create(TestNode.shared().anonymous().base() + "/api/v1/changes/stream"))
                .header("Last-Event-ID", "none")
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(refused, HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(400);
        for (String header : List.of("X-Request-Id", "X-Config-Revision", "Vary")) {
            assertThat(answer.headers().allValues(header)).as(header).hasSize(1);
        }
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), TestNode.shared().port())) {
            socket.getOutputStream()
                    .write("GET /api/v1/changes/stream?x=%zz HTTP/1.1\r\nHost: h\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = socket.getInputStream().readNBytes(12);
            assertThat(new String(line, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 400");
        }
    }
}
