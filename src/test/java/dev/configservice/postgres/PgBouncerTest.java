package dev.configservice.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPgBouncer;
import dev.configservice.testing.TestPostgres;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node behind PgBouncer. */
@Tag("servers")
class PgBouncerTest {
    private static TestNode start(TestPgBouncer pooler) {
        return TestNode.start(Map.of("CS_POSTGRES_URI", pooler.uri(), "CS_REDIS_URI", ""));
    }

    @Test
    void sessionModeWorks() {
        try (TestPostgres postgres = new TestPostgres();
                TestPgBouncer pooler = new TestPgBouncer(postgres, "session", 20, Map.of());
                TestNode node = start(pooler)) {
            for (int i = 0; i < 300; i++) {
                Reply created =
                        node.admin().post("/config", "{\"key\":\"k" + i + "\",\"value\":1,\"environment\":\"e\"}");
                assertThat(created.status()).as(created.text()).isEqualTo(201);
                assertThat(node.anonymous()
                                .get("/config/?environment=e&limit=5")
                                .status())
                        .isEqualTo(200);
                assertThat(node.anonymous()
                                .get("/config/k" + i + "?environment=e")
                                .status())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void modesThatLendConnectionsAreRefused() {
        try (TestPostgres postgres = new TestPostgres()) {
            for (int poolSize : new int[] {1, 2, 20}) {
                for (String mode : new String[] {"transaction", "statement"}) {
                    for (String roundRobin : new String[] {"0", "1"}) {
                        try (TestPgBouncer pooler =
                                new TestPgBouncer(postgres, mode, poolSize, Map.of("server_round_robin", roundRobin))) {
                            assertThatThrownBy(() -> start(pooler).close())
                                    .as(mode + " with " + poolSize)
                                    .isInstanceOf(SettingsException.class)
                                    .hasMessageContaining("session mode");
                        }
                    }
                }
            }
        }
    }

    @Test
    void aPoolThatIsTooSmallIsRefused() {
        try (TestPostgres postgres = new TestPostgres();
                TestPgBouncer pooler = new TestPgBouncer(postgres, "session", 2, Map.of())) {
            assertThatThrownBy(() -> start(pooler).close())
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining("connections");
        }
    }
}
