package dev.configservice.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SecretsTest {
    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String env = "env-" + UUID.randomUUID();

    private Reply create(String key, String value) {
        Reply reply = admin.post(
                "/config",
                "{\"key\":\"" + key + "\",\"value\":" + value + ",\"environment\":\"" + env
                        + "\",\"is_encrypted\":true}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        return reply;
    }

    private String key(String rights) {
        return admin.post("/access/keys", "{\"name\":\"k-" + UUID.randomUUID() + "\",\"rights\":[" + rights + "]}")
                .field("key");
    }

    @Test
    void onlyCallersWithTheRightSeeTheValue() {
        String path = "/config/api.key?environment=" + env;
        Reply created = create("api.key", "\"s3cr3t-value\"");
        assertThat(created.field("value")).isEqualTo("s3cr3t-value");
        assertThat(created.header("Cache-Control")).isEqualTo("no-store");

        assertThat(admin.get(path).field("value")).isEqualTo("s3cr3t-value");
        assertThat(anyone.get(path).status()).isEqualTo(401);
        assertThat(anyone.get("/config/" + created.field("id")).status()).isEqualTo(401);
        Api writer = anyone.key(key("\"config:write\",\"read\""));
        Reply forbidden = writer.get(path);
        assertThat(forbidden.status()).isEqualTo(403);
        assertThat(forbidden.text()).contains("secrets:read").doesNotContain("s3cr3t");
        assertThat(anyone.key(key("\"secrets:read\"")).get(path).field("value")).isEqualTo("s3cr3t-value");

        Reply list = anyone.get("/config/service/any?environment=" + env);
        assertThat(list.json().get(0).get("value").isNull()).isTrue();
        assertThat(list.header("ETag")).endsWith("-m\"");
        assertThat(anyone.get("/config?environment=" + env).text()).doesNotContain("s3cr3t");
        assertThat(anyone.get("/config/service/any?format=map&environment=" + env)
                        .text())
                .isEqualTo("{}");
        assertThat(admin.get("/config/service/any?format=map&environment=" + env)
                        .text())
                .contains("s3cr3t-value");
        Reply written = writer.put("/config/" + created.field("id"), "{\"description\":\"d\"}");
        assertThat(written.json().get("value").isNull()).isTrue();
    }

    @Test
    void writingTheSameValueIsNoChangeAndARollbackStaysEncrypted() {
        Reply created = create("rolled", "\"first\"");
        String path = "/config/" + created.field("id");
        assertThat(admin.put(path, "{\"value\":\"first\"}").field("version")).isEqualTo("1");
        assertThat(admin.put(path, "{\"value\":\"second\"}").field("version")).isEqualTo("2");
        assertThat(admin.get(path + "/history").text()).doesNotContain("first").doesNotContain("second");

        Reply back = admin.post(path + "/rollback", "{\"version\":1}");
        assertThat(back.field("value")).isEqualTo("first");
        assertThat(back.json().get("is_encrypted").asBoolean()).isTrue();
    }

    @Test
    void aRollbackToAnUnencryptedValueStaysEncrypted() {
        Reply created =
                admin.post("/config", "{\"key\":\"later\",\"value\":\"plain\",\"environment\":\"" + env + "\"}");
        String path = "/config/" + created.field("id");
        Reply sealed = admin.put(path, "{\"is_encrypted\":true}");
        assertThat(sealed.header("Warning")).contains("history");
        assertThat(sealed.field("value")).isEqualTo("plain");

        Reply back = admin.post(path + "/rollback", "{\"version\":1}");
        assertThat(back.json().get("is_encrypted").asBoolean()).isTrue();
        assertThat(back.field("value")).isEqualTo("plain");
        admin.delete(path);
        assertThat(admin.post(path + "/rollback", "{\"version\":1}")
                        .json()
                        .get("is_encrypted")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void removingTheEncryptionNeedsTheRightToReadTheValue() {
        String path = "/config/" + create("opened", "\"v\"").field("id");
        Api writer = anyone.key(key("\"config:write\""));

        assertThat(writer.put(path, "{\"is_encrypted\":false}").status()).isEqualTo(403);
        assertThat(writer.put(path, "{\"is_encrypted\":false,\"value\":\"new\"}")
                        .field("value"))
                .isEqualTo("new");
        assertThat(admin.put(path, "{\"is_encrypted\":true,\"value\":\"x\"}").status())
                .isEqualTo(200);
        assertThat(admin.put(path, "{\"is_encrypted\":false}").field("value")).isEqualTo("x");
    }

    @Test
    void withoutAKeysetEncryptedWritesAreRefused() {
        try (TestNode node = TestNode.start(java.util.Map.of("CS_SECRETS_KEYSET", ""))) {
            Reply reply = node.admin()
                    .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\",\"is_encrypted\":true}");
            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.field("type")).isEqualTo("no-keyset");
            assertThat(reply.header("Retry-After")).isEmpty();
        }
    }
}
