package dev.configservice.facade.ofrep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The event stream of OFREP 0.3. */
class OfrepEventsTest {
    private final TestNode node = TestNode.shared();
    private final Api admin = node.admin();
    private final String env = "stream-" + UUID.randomUUID().toString().substring(0, 8);

    private static Reply flag(Api admin, String name, String environment) {
        return admin.post(
                "/feature-flags",
                "{\"name\":\"" + name + "\",\"environment\":\"" + environment + "\",\"is_enabled\":true}");
    }

    private static String streamOf(Reply all) {
        assertThat(all.status()).as(all.text()).isEqualTo(200);
        return all.json().at("/eventStreams/0/endpoint/requestUri").asText();
    }

    private static EventStream open(TestNode at, String path, String... headers) {
        return new EventStream(URI.create(at.anonymous().base() + path), headers);
    }

    private EventStream open(String... headers) {
        return open(node, "/env/" + env + "/ofrep/v1/events", headers);
    }

    /** Returns the next event that asks for another evaluation. */
    private static EventStream.Event refetch(EventStream stream) {
        while (true) {
            EventStream.Event event = stream.next();
            if (event.data().path("type").asText().equals("refetchEvaluation")) {
                return event;
            }
            assertThat(event.type()).isNotEqualTo("end");
        }
    }

    @Test
    void aChangeIsAnEventWithoutNameWhoseTagIsItsRevision() {
        String path = streamOf(node.anonymous().post("/env/" + env + "/ofrep/v1/evaluate/flags", "{}"));
        assertThat(path).isEqualTo("/env/" + env + "/ofrep/v1/events");
        try (EventStream stream = open(node, path)) {
            EventStream.Event retry = stream.next();
            assertThat(retry.type()).isEqualTo("retry");
            EventStream.Event hello = stream.next();
            assertThat(hello.data().get("type").asText()).isEqualTo("hello");
            assertThat(hello.id()).isPositive();
            flag(admin, "elsewhere", env + "-other");
            admin.post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"" + env + "\"}");
            long revision = flag(admin, "a", env).revision();
            EventStream.Event event = stream.next();
            assertThat(event.type()).isEmpty();
            assertThat(event.id()).isEqualTo(revision);
            assertThat(event.data().get("type").asText()).isEqualTo("refetchEvaluation");
            assertThat(event.data().get("etag").asText()).isEqualTo(Long.toString(revision));
            assertThat(event.data().get("lastModified").isIntegralNumber()).isTrue();
            Reply read =
                    node.anonymous().post("/env/" + env + "/ofrep/v1/evaluate/flags?flagConfigEtag=" + revision, "{}");
            assertThat(read.text()).contains("\"key\":\"a\"");
        }
    }

    @Test
    void changesThatComeTogetherAreOneEvent() {
        try (EventStream stream = open()) {
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String name = "f" + i;
                writers.add(new Thread(() -> flag(admin, name, env)));
            }
            writers.forEach(Thread::start);
            writers.forEach(OfrepEventsTest::join);
            long last = flag(admin, "last", env).revision();
            int events = 0;
            EventStream.Event event;
            do {
                event = refetch(stream);
                events++;
            } while (event.id() < last);
            assertThat(events).isLessThan(20);
        }
    }

    @Test
    void whoComesBackIsToldOnceOfAllThatWasMissed() {
        long before = flag(admin, "a", env).revision();
        flag(admin, "b", env);
        long last = flag(admin, "c", env).revision();
        try (EventStream stream = open("Last-Event-ID", Long.toString(before))) {
            assertThat(refetch(stream).id()).isEqualTo(last);
        }
        try (EventStream stream = open("Last-Event-ID", Long.toString(last))) {
            long next = flag(admin, "d", env).revision();
            assertThat(refetch(stream).id()).isEqualTo(next);
        }
        // a position of another log
        try (EventStream stream = open("Last-Event-ID", "999999999")) {
            assertThat(refetch(stream).id()).isLessThan(999_999_999);
        }
    }

    @Test
    void aChangeBetweenTheEvaluationAndTheStreamIsNotMissed() {
        long revision = flag(admin, "a", env).revision();
        try (EventStream stream = open()) {
            assertThat(refetch(stream).id()).isEqualTo(revision);
        }
    }

    @Test
    void aNodeWithTooManyStreamsSaysWhenToComeAgain() {
        try (TestNode small = TestNode.start(Map.of(
                        "CS_CHANGES_MAX_STREAMS",
                        "1",
                        "CS_REDIS_URI",
                        "",
                        "CS_HTTP_CORS_ORIGINS",
                        "https://a.example"));
                EventStream first = open(small, "/ofrep/v1/events")) {
            assertThat(first.next().type()).isEqualTo("retry");
            try (EventStream second = open(small, "/ofrep/v1/events")) {
                assertThat(second.status()).isEqualTo(200);
                EventStream.Event retry = second.next();
                assertThat(retry.type()).isEqualTo("retry");
                assertThat(retry.data().asInt()).isEqualTo(30_000);
                assertThat(second.next().type()).isEqualTo("end");
            }
            // a page of another origin may read it: else its browser gives up for good
            assertThat(small.anonymous()
                            .with("Origin", "https://a.example")
                            .get("/env/e/ofrep/v1/events")
                            .header("Access-Control-Allow-Origin"))
                    .isEqualTo("https://a.example");
        }
    }

    @Test
    void whereReadsNeedAKeyTheStreamGetsATokenThatEndsWithTheKey() {
        try (TestNode closed = TestNode.start(Map.of(
                "CS_ACCESS_ANONYMOUS_READS", "false", "CS_REDIS_URI", "", "CS_HTTP_PUBLIC_PATH", "/behind/a-proxy"))) {
            Reply made = closed.admin()
                    .post("/access/keys", "{\"name\":\"app\",\"rights\":[\"read\"],\"environments\":[\"e\"]}");
            Api app = closed.anonymous().key(made.field("key"));
            assertThat(closed.anonymous().post("/ofrep/v1/evaluate/flags", "{}").status())
                    .isEqualTo(401);
            Reply all = app.post("/ofrep/v1/evaluate/flags", "{}");
            String address = streamOf(all);
            assertThat(address).startsWith("/behind/a-proxy/env/e/ofrep/v1/events?stream_token=");
            assertThat(address).doesNotContain(made.field("key"));
            assertThat(streamOf(app.post("/ofrep/v1/evaluate/flags", "{}"))).isEqualTo(address);
            String path = address.substring("/behind/a-proxy".length());

            String token = path.substring(path.indexOf('=') + 1);
            String otherEnd = token.substring(0, token.length() - 4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
            for (String refused : List.of(
                    "/env/e/ofrep/v1/events",
                    path.replace("/env/e/", "/env/f/"),
                    "/env/e/ofrep/v1/events?stream_token=x",
                    "/env/e/ofrep/v1/events?stream_token=.",
                    "/env/e/ofrep/v1/events?stream_token=e30.e30",
                    "/env/e/ofrep/v1/events?stream_token=" + otherEnd,
                    path.replace("/ofrep/v1/events", "/ofrep/v1/evaluate/flags/x"))) {
                try (EventStream none = open(closed, refused)) {
                    assertThat(none.status()).as(refused).isIn(401, 405);
                }
            }
            // neither a key nor a token of OFREP opens anything else
            assertThat(closed.anonymous()
                            .get("/config/x?environment=e&access_token=" + token)
                            .status())
                    .isIn(400, 401);
            try (EventStream stream = open(closed, path)) {
                long revision = flag(closed.admin(), "a", "e").revision();
                assertThat(refetch(stream).id()).isEqualTo(revision);
                assertThat(closed.admin()
                                .delete("/access/keys/" + made.field("id"))
                                .status())
                        .isLessThan(300);
                EventStream.Event event = stream.next();
                while (!event.type().equals("end")) {
                    event = stream.next();
                }
            }
            try (EventStream none = open(closed, path)) {
                assertThat(none.status()).isEqualTo(401);
            }
            // the admin key gives a token, too
            try (EventStream stream = open(
                    closed,
                    streamOf(closed.admin().post("/env/e/ofrep/v1/evaluate/flags", "{}"))
                            .substring("/behind/a-proxy".length()))) {
                assertThat(stream.status()).isEqualTo(200);
            }
        }
    }

    @Test
    void anEdgeTellsOfChangesAsACoreNodeDoes() {
        try (TestNode core = TestNode.start(Map.of("CS_REDIS_URI", "", "CS_ACCESS_ANONYMOUS_READS", "false"));
                TestNode edge = core.edge(Map.of("CS_ACCESS_ANONYMOUS_READS", "false"))) {
            String path = streamOf(core.admin().post("/env/e/ofrep/v1/evaluate/flags", "{}"));
            try (EventStream stream = open(edge, path)) {
                long revision = flag(core.admin(), "a", "e").revision();
                assertThat(refetch(stream).id()).isEqualTo(revision);
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
