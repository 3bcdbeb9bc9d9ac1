package dev.configservice.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Tokens;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** JSON web tokens of every shape, all signed with the right key. */
class TokenTest {
    private static final String SECRET = "a-secret-of-the-tests-that-is-long-enough";
    private static final String ISSUER = "https://issuer.example";
    private static final Map<String, String> SETTINGS =
            Map.of("CS_ACCESS_JWT_ISSUER", ISSUER, "CS_ACCESS_JWT_SECRET", SECRET, "CS_ACCESS_JWT_AUDIENCE", "config");
    private static final TestNode NODE = TestNode.start(SETTINGS);

    @AfterAll
    static void stop() {
        NODE.close();
    }

    private static ObjectNode claims() {
        return Json.object()
                .put("iss", ISSUER)
                .put("aud", "config")
                .put("sub", "alice")
                .put("scope", "config:write read")
                .put("exp", Instant.now().getEpochSecond() + 300);
    }

    private static Reply self(TestNode node, String header, JsonNode claims) {
        return bearer(node, header, claims).get("/access/self");
    }

    private static Api bearer(TestNode node, String header, JsonNode claims) {
        return node.anonymous().with("Authorization", "Bearer " + Tokens.of(SECRET, header, Json.write(claims)));
    }

    @Test
    void claimsThatAreMissingOrOfAnotherTypeAreRefused() {
        String header = "{\"alg\":\"HS256\"}";
        assertThat(self(NODE, header, claims()).field("name")).isEqualTo("alice");
        List<String> values = List.of(
                "null",
                "1e30",
                "-1",
                "{}",
                "[]",
                "[1]",
                "true",
                "\"\"",
                "1.5e300",
                "\"x\"",
                "[null]",
                "[\"config\",1]");
        Map<String, List<String>> valid = Map.of(
                "iss", List.of(),
                "sub", List.of("\"x\""),
                "aud", List.of(),
                "exp", List.of(),
                "nbf", List.of(),
                "iat", List.of(),
                "scope", List.of("\"\"", "\"x\""),
                "environments", List.of("[]", "\"\"", "\"x\""),
                "service_names", List.of("[]", "\"\"", "\"x\""));
        valid.forEach((claim, allowed) -> {
            for (String value : values) {
                ObjectNode claims = claims();
                claims.set(claim, Json.read(value));
                Reply reply = self(NODE, header, claims);
                assertThat(reply.status())
                        .as("%s: %s: %s", claim, value, reply.text())
                        .isEqualTo(allowed.contains(value) ? 200 : 401);
            }
        });
        for (String claim : List.of("iss", "sub", "aud", "exp")) {
            ObjectNode claims = claims();
            claims.remove(claim);
            assertThat(self(NODE, header, claims).status())
                    .as("without %s", claim)
                    .isEqualTo(401);
        }
        assertThat(self(NODE, header, claims().put("sub", "s".repeat(256))).status())
                .isEqualTo(401);
        assertThat(self(NODE, header, claims().put("aud", "other")).status()).isEqualTo(401);
        for (JsonNode other : List.of(Json.read("[]"), Json.read("1"), Json.read("null"))) {
            assertThat(self(NODE, header, other).status()).isEqualTo(401);
        }
    }

    @Test
    void extensionsThatNobodyKnowsAreRefused() {
        for (String header : List.of(
                "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
                "{\"alg\":\"HS256\",\"crit\":[]}",
                "{\"alg\":\"HS256\",\"crit\":null}",
                "{\"alg\":\"none\"}",
                "{\"alg\":7}",
                "{}",
                "[]")) {
            assertThat(self(NODE, header, claims()).status()).as(header).isEqualTo(401);
        }
    }

    @Test
    void tokensOfTwoSubjectsShareNoIdempotencyKey() {
        String header = "{\"alg\":\"HS256\"}";
        for (String subject : List.of("one", "two")) {
            Reply reply = bearer(NODE, header, claims().put("sub", subject))
                    .with("Idempotency-Key", "the-same")
                    .post("/config", "{\"key\":\"k-" + subject + "\",\"value\":1,\"environment\":\"e\"}");
            assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        }
    }

    @Test
    void anAudienceIsRequiredWithAnIssuer() {
        assertThatThrownBy(() -> TestNode.start(Map.of("CS_ACCESS_JWT_ISSUER", ISSUER, "CS_ACCESS_JWT_SECRET", SECRET)))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("access.jwt-audience");
        assertThatThrownBy(() -> TestNode.start(Map.of("CS_ACCESS_JWT_RIGHTS_MAP", "ops=fly")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("access.jwt-rights-map: ops=fly");
    }

    @Test
    void rightsComeWithAPrefixOrFromTheRolesOfAnIdentityProvider() {
        String header = "{\"alg\":\"HS256\"}";
        Map<String, String> prefixed = new java.util.HashMap<>(SETTINGS);
        prefixed.put("CS_ACCESS_JWT_SCOPE_PREFIX", "cs:");
        try (TestNode node = TestNode.start(prefixed)) {
            Reply reply = self(node, header, claims().put("scope", "openid admin cs:flags:write cs:nothing"));
            assertThat(reply.json().get("rights")).hasToString("[\"flags:write\"]");
        }
        Map<String, String> mapped = new java.util.HashMap<>(SETTINGS);
        mapped.put("CS_ACCESS_JWT_RIGHTS_CLAIM", "realm_access.roles");
        mapped.put("CS_ACCESS_JWT_RIGHTS_MAP", "ops=admin, dev team=config:write flags:write");
        try (TestNode node = TestNode.start(mapped)) {
            ObjectNode claims = claims().put("scope", "admin");
            claims.putObject("realm_access").putArray("roles").add("dev team").add("unknown");
            assertThat(self(node, header, claims).json().get("rights"))
                    .hasToString("[\"config:write\",\"flags:write\"]");
            claims.putObject("realm_access").putArray("roles").add("ops");
            assertThat(self(node, header, claims).json().get("rights")).hasToString("[\"admin\"]");
            assertThat(self(node, header, claims()).json().get("rights")).isEmpty();
            claims.putObject("realm_access").put("roles", 7);
            assertThat(self(node, header, claims).status()).isEqualTo(401);
        }
    }
}
