package dev.configservice.credential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Tokens;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AccessTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private Reply give(Api by, String json) {
        return by.post("/access/keys", json);
    }

    private static String config(String env, String service, String key) {
        return "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"" + env + "\""
                + (service.isEmpty() ? "" : ",\"service_name\":\"" + service + "\"") + "}";
    }

    @Test
    void aKeyIsShownOnceAndWorksUntilItIsRevoked() {
        Reply given = give(admin, "{\"name\":\"deploy\",\"rights\":[\"config:write\"]}");
        assertThat(given.status()).isEqualTo(201);
        String key = given.field("key");
        assertThat(key).startsWith("cs_" + given.field("id") + "_");
        Api caller = anyone.key(key);

        assertThat(caller.post("/config", config(env, "", "a")).status()).isEqualTo(201);
        assertThat(caller.get("/access/self").json().get("rights").get(0).asText())
                .isEqualTo("config:write");
        assertThat(admin.get("/access/keys?limit=500").text())
                .contains(given.field("id"))
                .doesNotContain(key);
        assertThat(TestNode.shared()
                        .sql("select count(*) from changes where row::text like '%"
                                + key.substring(key.lastIndexOf('_') + 1) + "%'"))
                .first()
                .isEqualTo(java.util.List.of("0"));

        assertThat(admin.delete("/access/keys/" + given.field("id")).status()).isEqualTo(204);
        assertThat(caller.get("/config/a?environment=" + env).status()).isEqualTo(401);
        assertThat(caller.get("/access/self").header("WWW-Authenticate")).isNotEmpty();
    }

    @Test
    void aKeyIsLimitedToItsScope() {
        Api limited = anyone.key(give(
                        admin,
                        "{\"name\":\"l\",\"rights\":[\"config:write\",\"secrets:read\"],\"environments\":[\"" + env
                                + "\"],\"service_names\":[\"pay*\"]}")
                .field("key"));

        assertThat(limited.post("/config", config(env, "payments", "a")).status())
                .isEqualTo(201);
        assertThat(limited.post("/config", config(env, "orders", "a")).status()).isEqualTo(403);
        assertThat(limited.post("/config", config("other", "payments", "a")).status())
                .isEqualTo(403);
        assertThat(limited.post("/config", config(env, "", "shared")).status()).isEqualTo(403);
        // within its scope, the key may read what anonymous callers may read
        assertThat(limited.get("/config/a?environment=" + env + "&service_name=payments")
                        .status())
                .isEqualTo(200);
        assertThat(limited.get("/config/service/orders?environment=" + env).status())
                .isEqualTo(403);
        Reply sharedSecret = admin.post(
                "/config", "{\"key\":\"s\",\"value\":\"v\",\"environment\":\"" + env + "\",\"is_encrypted\":true}");
        assertThat(sharedSecret.status()).isEqualTo(201);
        assertThat(limited.get("/config/s?environment=" + env + "&service_name=payments")
                        .field("value"))
                .isEqualTo("v");
        String path = "/config/" + sharedSecret.field("id");
        assertThat(limited.put(path, "{\"value\":1}").status()).isEqualTo(403);
        assertThat(limited.delete(path).status()).isEqualTo(403);
    }

    @Test
    void aCallerCannotGrantMoreThanItHas() {
        Api giver = anyone.key(
                give(admin, "{\"name\":\"g\",\"rights\":[\"keys:write\",\"config:write\"],\"environments\":[\"dev*\"]}")
                        .field("key"));

        assertThat(give(giver, "{\"name\":\"x\",\"rights\":[\"secrets:read\"],\"environments\":[\"dev\"]}")
                        .status())
                .isEqualTo(403);
        assertThat(give(giver, "{\"name\":\"x\",\"rights\":[\"admin\"],\"environments\":[\"dev\"]}")
                        .status())
                .isEqualTo(403);
        assertThat(give(giver, "{\"name\":\"x\",\"rights\":[\"config:write\"]}").status())
                .isEqualTo(403);
        assertThat(give(giver, "{\"name\":\"x\",\"rights\":[\"config:write\"],\"environments\":[\"d*\"]}")
                        .status())
                .isEqualTo(403);
        assertThat(give(giver, "{\"name\":\"x\",\"rights\":[\"config:write\"],\"environments\":[\"dev1\"]}")
                        .status())
                .isEqualTo(201);
        Reply strong = give(admin, "{\"name\":\"strong\",\"rights\":[\"admin\"]}");
        assertThat(giver.delete("/access/keys/" + strong.field("id")).status()).isEqualTo(403);
        assertThat(giver.post("/access/keys/" + strong.field("id") + "/rotate", "{}")
                        .status())
                .isEqualTo(403);
    }

    @Test
    void rotationKeepsTheOldKeyValidForTheGracePeriod() {
        Reply given = give(admin, "{\"name\":\"r\",\"rights\":[\"read\"]}");
        String path = "/access/keys/" + given.field("id") + "/rotate";

        Reply rotated = admin.post(path, "{\"grace_seconds\":60}");
        assertThat(anyone.key(given.field("key")).get("/access/self").status()).isEqualTo(200);
        assertThat(anyone.key(rotated.field("key")).get("/access/self").status())
                .isEqualTo(200);

        Reply again = admin.post(path, "{}");
        assertThat(anyone.key(rotated.field("key")).get("/access/self").status())
                .isEqualTo(401);
        assertThat(anyone.key(again.field("key")).get("/access/self").status()).isEqualTo(200);
    }

    @Test
    void allInvalidFieldsOfAKeyAreReportedAtOnce() {
        assertThat(give(admin, "{\"rights\":[\"fly\"],\"environments\":[],\"expires_at\":\"yesterday\"}")
                        .wrongFields())
                .contains("name", "rights[0]", "environments", "expires_at");
    }

    @Test
    void onlyValidTokensOfTheIssuerAreAccepted() {
        String secret = "a-secret-of-the-tests-that-is-long-enough";
        try (TestNode node = TestNode.start(Map.of(
                "CS_ACCESS_JWT_ISSUER",
                "https://issuer.example",
                "CS_ACCESS_JWT_SECRET",
                secret,
                "CS_ACCESS_JWT_AUDIENCE",
                "config",
                "CS_ACCESS_ANONYMOUS_READS",
                "false"))) {
            assertThat(node.anonymous().get("/config/x").status()).isEqualTo(401);
            Api good = node.anonymous()
                    .with("Authorization", "Bearer " + Tokens.signed(secret, "https://issuer.example", 60));
            assertThat(good.get("/access/self").field("name")).isEqualTo("ci");
            assertThat(good.post("/config", config("dev", "a", "k")).status()).isEqualTo(201);
            assertThat(good.post("/config", config("prod", "a", "k")).status()).isEqualTo(403);
            assertThat(good.get("/config/k?environment=dev&service_name=a").status())
                    .isEqualTo(403);

            for (String bad : java.util.List.of(
                    Tokens.signed(secret, "https://other.example", 60),
                    Tokens.signed(secret, "https://issuer.example", -60),
                    Tokens.signed("another-secret-that-is-just-as-long-as-that", "https://issuer.example", 60),
                    Tokens.unsigned(Tokens.signed(secret, "https://issuer.example", 60)),
                    Tokens.unsigned(Tokens.signed(secret, "https://issuer.example", 60)) + ".",
                    "rubbish")) {
                assertThat(node.anonymous()
                                .with("Authorization", "Bearer " + bad)
                                .get("/access/self")
                                .status())
                        .isEqualTo(401);
            }
        }
    }

    @Test
    void theKeysOfTheIssuerAreReadFromAFileOrAUrl() throws java.io.IOException {
        String secret = "another-secret-of-the-tests-that-is-long";
        String jwks = Tokens.keySet(secret);
        java.nio.file.Path file =
                dev.configservice.testing.TestServers.directory("jwks").resolve("jwks.json");
        java.nio.file.Files.writeString(file, jwks);
        com.sun.net.httpserver.HttpServer server = com.sun.net.httpserver.HttpServer.create(
                new java.net.InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/keys", exchange -> {
            byte[] body = jwks.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            for (String place : java.util.List.of(
                    file.toString(), "http://127.0.0.1:" + server.getAddress().getPort() + "/keys")) {
                try (TestNode node = TestNode.start(Map.of(
                        "CS_ACCESS_JWT_ISSUER",
                        "https://issuer.example",
                        "CS_ACCESS_JWT_AUDIENCE",
                        "config",
                        "CS_ACCESS_JWT_JWKS",
                        place))) {
                    assertThat(node.anonymous()
                                    .with(
                                            "Authorization",
                                            "Bearer " + Tokens.signed(secret, "https://issuer.example", 60))
                                    .get("/access/self")
                                    .field("name"))
                            .isEqualTo("ci");
                }
            }
        } finally {
            server.stop(0);
        }
    }
}
