package dev.configservice.credential;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Tokens;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The life of API keys: how long they may live, how they are edited, and what ends with them. */
class KeyLifeTest {
    private static final String SECRET = "a-secret-of-the-tests-that-is-long-enough";
    private static final String ISSUER = "https://issuer.example";

    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();

    private static String name() {
        return "key-" + UUID.randomUUID();
    }

    private static Reply give(Api by, String more) {
        return by.post("/access/keys", "{\"name\":\"" + name() + "\"," + more + "}");
    }

    private static String in(int seconds) {
        return Instant.now().plusSeconds(seconds).toString();
    }

    @Test
    void nothingThatExpiresMakesSomethingThatOutlivesIt() {
        Reply given = give(admin, "\"rights\":[\"keys:write\",\"read\"],\"expires_at\":\"" + in(3600) + "\"");
        Api expiring = anyone.key(given.field("key"));
        Instant end = Instant.parse(given.field("expires_at"));

        for (String wish : List.of("", ",\"expires_at\":\"" + in(7200) + "\"")) {
            Reply made = give(expiring, "\"rights\":[\"read\"]" + wish);
            assertThat(made.status()).as(made.text()).isEqualTo(201);
            assertThat(Instant.parse(made.field("expires_at"))).isEqualTo(end);
            assertThat(made.header("Warning")).contains("expires_at was cut");
            String path = "/access/keys/" + made.field("id");
            assertThat(expiring.put(path, "{\"expires_at\":null}").status()).isEqualTo(403);
            assertThat(expiring.put(path, "{\"expires_at\":\"" + in(7200) + "\"}")
                            .status())
                    .isEqualTo(403);
        }
        Reply shorter = give(expiring, "\"rights\":[\"read\"],\"expires_at\":\"" + in(60) + "\"");
        assertThat(shorter.header("Warning")).isEmpty();

        Reply lasting = give(admin, "\"rights\":[\"read\"]");
        String path = "/access/keys/" + lasting.field("id");
        // a new secret of a key that lasts would outlive the caller
        assertThat(expiring.post(path + "/rotate", "{}").status()).isEqualTo(403);
        assertThat(expiring.put(path, "{\"rights\":[\"read\",\"keys:write\"]}").status())
                .isEqualTo(403);
        // it may take rights and reach away
        assertThat(expiring.put(path, "{\"environments\":[\"dev\"]}").status()).isEqualTo(200);
        assertThat(expiring.put(path, "{\"enabled\":false}").status()).isEqualTo(200);
    }

    @Test
    void aKeyOfATokenLivesAsLongAsTheSettingSays() {
        try (TestNode node = TestNode.start(Map.of(
                "CS_ACCESS_JWT_ISSUER",
                ISSUER,
                "CS_ACCESS_JWT_SECRET",
                SECRET,
                "CS_ACCESS_JWT_AUDIENCE",
                "config",
                "CS_ACCESS_TOKEN_KEY_MAX_AGE",
                "7d"))) {
            String token = Tokens.of(
                    SECRET,
                    "{\"alg\":\"HS256\"}",
                    "{\"iss\":\"" + ISSUER + "\",\"aud\":\"config\",\"sub\":\"alice\",\"scope\":\"keys:write read\","
                            + "\"exp\":" + (Instant.now().getEpochSecond() + 300) + "}");
            Api alice = node.anonymous().with("Authorization", "Bearer " + token);
            Reply made = give(alice, "\"rights\":[\"read\"]");
            assertThat(made.status()).as(made.text()).isEqualTo(201);
            assertThat(Instant.parse(made.field("expires_at")))
                    .isBetween(
                            Instant.now().plus(Duration.ofDays(7)).minusSeconds(60),
                            Instant.now().plus(Duration.ofDays(7)));
            assertThat(made.header("Warning")).contains("7 days");
            assertThat(node.admin()
                            .get("/access/keys/" + made.field("id"))
                            .json()
                            .at("/created_by"))
                    .hasToString("{\"type\":\"token\",\"id\":\"alice\",\"name\":\"alice\"}");
        }
    }

    @Test
    void namesAreUniqueAmongLivingKeysAndReserved() throws Exception {
        String name = name();
        Reply first = admin.post("/access/keys", "{\"name\":\"" + name + "\",\"rights\":[\"read\"]}");
        assertThat(first.status()).isEqualTo(201);
        Reply second = admin.post(
                "/access/keys", "{\"name\":\"" + name.toUpperCase(java.util.Locale.ROOT) + "\",\"rights\":[\"read\"]}");
        assertThat(second.status()).isEqualTo(409);
        assertThat(second.field("id")).isEqualTo(first.field("id"));
        for (String reserved : List.of("admin", "Admin", "SYSTEM", " admin ", "system")) {
            Reply refused = admin.post("/access/keys", "{\"name\":\"" + reserved + "\",\"rights\":[\"read\"]}");
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.wrongFields()).contains("name");
        }
        Reply other = give(admin, "\"rights\":[\"read\"]");
        assertThat(admin.put("/access/keys/" + other.field("id"), "{\"name\":\"" + name + "\"}")
                        .status())
                .isEqualTo(409);
        assertThat(admin.put("/access/keys/" + other.field("id"), "{\"name\":\"admin\"}")
                        .status())
                .isEqualTo(400);

        // of many that want one name at once, one gets it
        String wanted = name();
        List<CompletableFuture<Integer>> asked = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            asked.add(CompletableFuture.supplyAsync(
                    () -> admin.post("/access/keys", "{\"name\":\"" + wanted + "\",\"rights\":[\"read\"]}")
                            .status()));
        }
        List<Integer> statuses = new ArrayList<>();
        for (CompletableFuture<Integer> a : asked) {
            statuses.add(a.get());
        }
        assertThat(statuses).containsOnlyOnce(201).contains(409).doesNotContain(500, 503);

        assertThat(admin.delete("/access/keys/" + first.field("id")).status()).isEqualTo(204);
        assertThat(admin.post("/access/keys", "{\"name\":\"" + name + "\",\"rights\":[\"read\"]}")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void aKeyCanBeEditedWithinTheRightsAndReachOfTheCaller() {
        Reply given = give(admin, "\"rights\":[\"read\"],\"environments\":[\"dev\"]");
        String path = "/access/keys/" + given.field("id");
        String renamed = name();
        Reply edited = admin.put(
                path,
                "{\"name\":\"" + renamed + "\",\"rights\":[\"config:write\"],\"environments\":null,"
                        + "\"service_names\":[\"pay*\"]}");
        assertThat(edited.status()).as(edited.text()).isEqualTo(200);
        JsonNode after = admin.get(path).json();
        assertThat(after.get("name").asText()).isEqualTo(renamed);
        assertThat(after.get("rights")).hasToString("[\"config:write\"]");
        assertThat(after.get("environments").isNull()).isTrue();
        assertThat(after.get("service_names")).hasToString("[\"pay*\"]");
        assertThat(after.get("enabled").asBoolean()).isTrue();
        assertThat(anyone.key(given.field("key")).get("/access/self").field("name"))
                .isEqualTo(renamed);

        // what was read can be changed and sent back
        assertThat(admin.put(path, admin.get(path).text()).status()).isEqualTo(200);
        assertThat(admin.put(path, "{\"created_at\":\"2020-01-01T00:00:00Z\"}").wrongFields())
                .contains("created_at");
        assertThat(admin.put(path, "{\"rights\":null}").wrongFields()).contains("rights");
        assertThat(admin.put(path, "{\"rights\":[]}").wrongFields()).contains("rights");
        assertThat(admin.put(path, "{\"colour\":1}").wrongFields()).contains("colour");
        assertThat(admin.with("If-Match", "\"1\"")
                        .put(path, "{\"enabled\":false}")
                        .status())
                .isEqualTo(412);

        Api small =
                anyone.key(give(admin, "\"rights\":[\"keys:write\",\"read\"]").field("key"));
        assertThat(small.put(path, "{\"enabled\":false}").status()).isEqualTo(403);
        Reply own = give(small, "\"rights\":[\"read\"]");
        assertThat(small.put("/access/keys/" + own.field("id"), "{\"rights\":[\"admin\"]}")
                        .status())
                .isEqualTo(403);

        assertThat(admin.put(path, "{\"enabled\":false}").status()).isEqualTo(200);
        assertThat(anyone.key(given.field("key")).get("/access/self").status()).isEqualTo(401);
        assertThat(admin.put(path, "{\"enabled\":true}").status()).isEqualTo(200);
        assertThat(anyone.key(given.field("key")).get("/access/self").status()).isEqualTo(200);
        // the audit tells who did what, and shows no hash
        assertThat(admin.get("/audit?resource_type=access_key&resource_id=" + given.field("id"))
                        .text())
                .contains("\"enabled\":false")
                .doesNotContain("hash");
    }

    @Test
    void whateverShowsAKeyShowsItsLastUse() {
        Reply given = give(admin, "\"rights\":[\"read\"]");
        String path = "/access/keys/" + given.field("id");
        assertThat(admin.get(path).json().get("last_used_at").isNull()).isTrue();
        assertThat(anyone.key(given.field("key")).get("/access/self").status()).isEqualTo(200);

        String used = admin.get(path).field("last_used_at");
        Instant.parse(used);
        assertThat(admin.put(path, "{\"enabled\":true}").field("last_used_at")).isEqualTo(used);
        assertThat(admin.post(path + "/rotate", "{}").field("last_used_at")).isEqualTo(used);
    }

    @Test
    void editsAndRotationsAtTheSameTimeAllSucceed() {
        Reply given = give(admin, "\"rights\":[\"read\"]");
        String path = "/access/keys/" + given.field("id");
        List<CompletableFuture<Reply>> both = List.of(
                CompletableFuture.supplyAsync(() -> admin.post(path + "/rotate", "{\"grace_seconds\":60}")),
                CompletableFuture.supplyAsync(() -> admin.put(path, "{\"environments\":[\"dev\"]}")),
                CompletableFuture.supplyAsync(() -> admin.post(path + "/rotate", "{\"grace_seconds\":60}")));

        assertThat(both).extracting(reply -> reply.join().status()).containsOnly(200);
        assertThat(admin.get(path).json().get("environments").get(0).asText()).isEqualTo("dev");
    }

    @Test
    void streamsEndWithTheirKeyAndWithItsGrace() {
        record Way(String name, String method, String path, String body) {}
        for (Way way : List.of(
                new Way("deleted", "DELETE", "", ""),
                new Way("disabled", "PUT", "", "{\"enabled\":false}"),
                new Way("narrowed", "PUT", "", "{\"environments\":[\"dev\"]}"),
                new Way("rotated", "POST", "/rotate", "{}"),
                new Way("rotated with grace", "POST", "/rotate", "{\"grace_seconds\":3}"))) {
            Reply given = give(admin, "\"rights\":[\"read\"]");
            try (EventStream stream = new EventStream(anyone, "", "Authorization", "ApiKey " + given.field("key"))) {
                assertThat(stream.next().type()).isNotEqualTo("end");
                Instant changed = Instant.now();
                String path = "/access/keys/" + given.field("id") + way.path();
                Reply reply =
                        switch (way.method()) {
                            case "DELETE" -> admin.delete(path);
                            case "PUT" -> admin.put(path, way.body());
                            default -> admin.post(path, way.body());
                        };
                assertThat(reply.status()).isLessThan(300);
                awaitEnd(stream);
                if (way.body().contains("grace")) {
                    assertThat(Duration.between(changed, Instant.now())).isGreaterThan(Duration.ofMillis(2500));
                }
            }
        }
        Reply expiring = give(admin, "\"rights\":[\"read\"],\"expires_at\":\"" + in(3) + "\"");
        try (EventStream stream = new EventStream(anyone, "", "Authorization", "ApiKey " + expiring.field("key"))) {
            awaitEnd(stream);
        }
    }

    /** Waits for the end of a stream, which the client sees. */
    private static void awaitEnd(EventStream stream) {
        Instant until = Instant.now().plusSeconds(15);
        while (!stream.next().type().equals("end")) {
            assertThat(Instant.now()).isBefore(until);
        }
    }
}
