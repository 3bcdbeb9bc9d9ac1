package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Writes while a synchronous standby of PostgreSQL does not answer. */
class SyncStandbyTest {
    private static Reply create(Api api, String key) {
        return api.post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\"}");
    }

    private static String rows(TestPostgres postgres, String key) {
        return TestNode.sql(postgres.uri(), "select count(*) from changes where name = '" + key + "'")
                .get(0)
                .get(0);
    }

    @Test
    void nothingIsAcknowledgedThatIsOnlyLocal() throws Exception {
        TestPostgres primary = new TestPostgres();
        TestPostgres standby = primary.standby();
        try (TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", primary.uri()))) {
            Api admin = node.admin();
            Reply before = create(admin, "before");
            assertThat(before.status()).isEqualTo(201);
            standby.hang();
            try {
                Reply lost = create(admin.with("Idempotency-Key", "lost"), "lost");
                assertThat(lost.status()).as(lost.text()).isEqualTo(503);
                assertThat(lost.field("type")).contains("outcome-unknown");
                // it is in the log of the primary, but nobody may be told that it is done
                await().atMost(Duration.ofSeconds(10))
                        .until(() -> rows(primary, "lost").equals("1"));
                assertThat(create(admin.with("Idempotency-Key", "lost"), "lost").status())
                        .isEqualTo(503);
                String id = before.field("id");
                assertThat(admin.put("/config/" + id, "{\"value\":1}").status())
                        .as("a write that has nothing to change")
                        .isEqualTo(503);

                // somebody cancels the wait for the standby: the commit then succeeds, with a warning
                boolean didCancel = false;
                for (int i = 0; i < 10 && !didCancel; i++) {
                    String key = "cancelled-" + i;
                    CompletableFuture<Reply> cancelled = CompletableFuture.supplyAsync(() -> create(admin, key));
                    while (!cancelled.isDone()) {
                        didCancel |= !TestNode.sql(
                                        primary.uri(),
                                        "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"
                                                + " and query like '%apply_batch%'")
                                .isEmpty();
                    }
                    assertThat(cancelled.get(20, TimeUnit.SECONDS).status()).isEqualTo(503);
                }
                assertThat(didCancel).isTrue();
            } finally {
                standby.goOn();
            }
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(create(admin.with("Idempotency-Key", "lost"), "lost")
                                    .status())
                            .isEqualTo(201));
            assertThat(rows(standby, "lost")).isEqualTo("1");
        } finally {
            standby.close();
            primary.close();
        }
    }
}
