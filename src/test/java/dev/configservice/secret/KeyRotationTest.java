package dev.configservice.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Keysets;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The replacement of a keyset while nodes run, as operations.md describes it. */
class KeyRotationTest {
    private static long last;

    @TempDir
    Path directory;

    private static Reply create(Api api, String key) {
        Reply reply = api.post(
                "/config",
                "{\"key\":\"" + key + "\",\"value\":\"secret of " + key
                        + "\",\"environment\":\"e\",\"is_encrypted\":true}");
        assertThat(reply.status()).as(reply.text()).isEqualTo(201);
        last = reply.revision();
        return reply;
    }

    private static void assertReadable(TestNode node, String key) {
        Reply reply = node.admin().with("X-Min-Revision", Long.toString(last)).get("/config/" + key + "?environment=e");
        assertThat(reply.field("value")).as(reply.text()).isEqualTo("secret of " + key);
    }

    private static String prefixes(TestNode node) {
        return node.sql("select count(distinct substring(sealed from 1 for 5)) from resources where sealed is not null")
                .get(0)
                .get(0);
    }

    private static int command(TestNode node, Path keyset, String name) throws Exception {
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.configservice.Main",
                name);
        command.environment().put("CS_POSTGRES_URI", node.setting("CS_POSTGRES_URI"));
        command.environment().put("CS_ACCESS_ADMIN_KEY", TestNode.ADMIN_KEY);
        command.environment().put("CS_CLUSTER_NAME", node.setting("CS_CLUSTER_NAME"));
        command.environment().put("CS_SECRETS_KEYSET", keyset.toString());
        Process process = command.inheritIO().start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Test
    void aNewKeyIsUsedOnceEveryNodeKnowsIt() throws Exception {
        Path first = Files.writeString(directory.resolve("first.json"), Files.readString(Path.of(Keysets.FIRST)));
        Path second = Files.writeString(directory.resolve("second.json"), Files.readString(Path.of(Keysets.FIRST)));
        Path third = Files.writeString(directory.resolve("third.json"), Files.readString(Path.of(Keysets.FIRST)));
        String rotated = Keysets.rotated();
        try (TestNode a = TestNode.start(Map.of("CS_SECRETS_KEYSET", first.toString()));
                TestNode b = a.join(Map.of("CS_SECRETS_KEYSET", second.toString()));
                TestNode edge = a.edge(Map.of("CS_SECRETS_KEYSET", third.toString()))) {
            List<TestNode> all = List.of(a, b, edge);
            create(a.admin(), "before");
            Files.writeString(first, rotated);
            // the edge and the second node do not know the new key: everything stays readable everywhere
            AtomicInteger tries = new AtomicInteger();
            await().during(Duration.ofSeconds(4)).atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
                String key = "meanwhile-" + tries.incrementAndGet();
                create(a.admin(), key);
                for (TestNode node : all) {
                    assertReadable(node, key);
                }
            });
            assertThat(prefixes(a)).isEqualTo("1");
            assertThat(command(a, first, "reseal")).isEqualTo(3);

            // a node that starts with the new file does not run ahead either
            try (TestNode c = a.join(Map.of("CS_SECRETS_KEYSET", first.toString()))) {
                create(c.admin(), "of-the-new-node");
                assertReadable(b, "of-the-new-node");
            }
            Files.writeString(second, rotated);
            Files.writeString(third, rotated);
            await().atMost(Duration.ofSeconds(20)).until(() -> {
                create(b.admin(), "new-" + UUID.randomUUID());
                return prefixes(a).equals("2");
            });
            create(a.admin(), "after");
            for (TestNode node : all) {
                assertReadable(node, "before");
                assertReadable(node, "after");
            }
            await().atMost(Duration.ofSeconds(40))
                    .pollInterval(Duration.ofSeconds(1))
                    .until(() -> command(a, first, "reseal") == 0);
            assertThat(prefixes(a)).isEqualTo("1");
            assertThat(command(a, first, "verify")).isZero();
            for (TestNode node : all) {
                assertReadable(node, "before");
            }
        }
    }

    @Test
    void aValueWhoseKeyIsMissingIsMaskedAlone() throws Exception {
        Path file = Files.writeString(directory.resolve("keyset.json"), Files.readString(Path.of(Keysets.FIRST)));
        try (TestNode node = TestNode.start(Map.of("CS_SECRETS_KEYSET", file.toString()))) {
            create(node.admin(), "lost");
            Path other = directory.resolve("other.json");
            Keyring.keptIn(other);
            Files.writeString(file, Files.readString(other));
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> node.admin()
                            .get("/config/lost?environment=e")
                            .json()
                            .path("unreadable")
                            .asBoolean());
            create(node.admin(), "fine");
            Reply layer = node.admin().get("/config/service/any?environment=e");
            assertThat(layer.status()).isEqualTo(200);
            assertThat(layer.text()).contains("secret of fine", "\"unreadable\":true");
            Reply flat = node.admin().get("/config/service/any?environment=e&format=map");
            assertThat(flat.text()).contains("secret of fine").doesNotContain("lost");
            assertThat(node.admin().get("/config?environment=e").status()).isEqualTo(200);
            assertThat(node.anonymous().get("/health").text()).contains("\"part\":\"secrets\",\"status\":\"DOWN\"");
            assertThat(node.anonymous().get("/metrics").text())
                    .containsPattern("config_service_secrets_unreadable_total\\{[^}]*} [1-9]");
            // it can be replaced, and a file that is no keyset changes nothing
            String id = node.admin().get("/config/lost?environment=e").field("id");
            assertThat(node.admin()
                            .put("/config/" + id, "{\"value\":\"secret of lost\"}")
                            .status())
                    .isEqualTo(200);
            Files.writeString(file, "rubbish");
            await().during(Duration.ofSeconds(3))
                    .atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertReadable(node, "lost"));
        }
    }

    @Test
    void whoMayNotReadASecretCannotGuessIt() {
        TestNode node = TestNode.shared();
        Api admin = node.admin();
        String env = "env-" + UUID.randomUUID();
        Reply created = admin.post(
                "/config",
                "{\"key\":\"pin\",\"value\":\"1234\",\"environment\":\"" + env + "\",\"is_encrypted\":true}");
        String path = "/config/" + created.field("id");
        Api writer = node.anonymous()
                .key(admin.post("/access/keys", "{\"name\":\"" + env + "\",\"rights\":[\"config:write\"]}")
                        .field("key"));
        for (String guess : List.of("1111", "1234", "1234")) {
            long before = admin.get(path).json().get("version").asLong();
            Reply reply = writer.put(path, "{\"value\":\"" + guess + "\"}");
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.json().get("version").asLong()).isEqualTo(before + 1);
        }
        long before = admin.get(path).json().get("version").asLong();
        assertThat(admin.put(path, "{\"value\":\"1234\"}").json().get("version").asLong())
                .isEqualTo(before);
    }
}
