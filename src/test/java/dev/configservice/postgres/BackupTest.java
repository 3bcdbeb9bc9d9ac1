package dev.configservice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.InstalledPostgres;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Writers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Backup and restore with the tools of PostgreSQL, as operations.md describes it. */
@Tag("servers")
class BackupTest {
    private static Reply create(TestNode node, String key, String more) {
        Reply created = node.admin()
                .post(
                        "/config",
                        "{\"key\":\"" + key + "\",\"value\":\"v-" + key + "\",\"environment\":\"e\"" + more + "}");
        assertThat(created.status()).as(created.text()).isEqualTo(201);
        return created;
    }

    private static String value(TestNode node, String key) {
        return node.admin().get("/config/" + key + "?environment=e").field("value");
    }

    private static void isWhole(TestNode node) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() ->
                        assertThat(node.admin().get("/audit/verify").text()).contains("\"verified\":true"));
    }

    @Test
    void aBackupUnderRunningNodesIsRestoredElsewhereAndOverThem() throws Exception {
        try (InstalledPostgres postgres = new InstalledPostgres();
                TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri("config"), "CS_REDIS_URI", ""))) {
            create(node, "before", "");
            create(node, "secret", ",\"is_encrypted\":true");
            String dump = postgres.directory() + "/config.dump";
            try (Writers writers = new Writers(node.admin(), 8)) {
                writers.write(200);
                Thread writing = new Thread(() -> writers.write(400));
                writing.start();
                postgres.run("pg_dump", "-Fc", "-d", postgres.uri("config"), "-f", dump);
                writing.join();
            }
            long seen = create(node, "after", "").revision();

            postgres.run(
                    "createdb",
                    "--maintenance-db",
                    postgres.uri("postgres"),
                    "-T",
                    "template0",
                    "-E",
                    "UTF8",
                    "restored");
            postgres.run("pg_restore", "-d", postgres.uri("restored"), dump);
            Map<String, String> settings = new HashMap<>(node.environment());
            settings.put("CS_POSTGRES_URI", postgres.uri("restored"));
            settings.remove("CS_HTTP_PORT");
            settings.remove("CS_CLUSTER_PORT");
            settings.put("CS_HTTP_PORT", Integer.toString(dev.configservice.testing.Ports.free()));
            settings.put("CS_CLUSTER_PORT", Integer.toString(dev.configservice.testing.Ports.free()));
            try (TestNode restored = TestNode.start(settings)) {
                assertThat(value(restored, "before")).isEqualTo("v-before");
                assertThat(value(restored, "secret")).isEqualTo("v-secret");
                assertThat(restored.admin().get("/config/after?environment=e").status())
                        .isEqualTo(404);
                isWhole(restored);
                create(restored, "goes-on", "");
            }

            postgres.run(
                    "psql",
                    "-d",
                    postgres.uri("config"),
                    "-c",
                    "drop schema public cascade",
                    "-c",
                    "create schema public");
            assertThat(node.admin().get("/config/before?environment=e").status())
                    .isEqualTo(200);
            postgres.run("pg_restore", "--single-transaction", "-d", postgres.uri("config"), dump);
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(node.admin()
                                    .get("/config/after?environment=e")
                                    .status())
                            .isEqualTo(404));
            assertThat(value(node, "before")).isEqualTo("v-before");
            assertThat(value(node, "secret")).isEqualTo("v-secret");
            await().atMost(Duration.ofSeconds(30))
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(create(node, "again-" + System.nanoTime(), "")
                                    .revision())
                            .isGreaterThan(seen));
            isWhole(node);
        }
    }
}
