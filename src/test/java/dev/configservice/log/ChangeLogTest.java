package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChangeLogTest {
    private static TestNode node;
    private static TestNode second;

    @BeforeAll
    static void start() {
        node = TestNode.start(java.util.Map.of());
        second = node.join();
    }

    @AfterAll
    static void stop() {
        second.close();
        node.close();
    }

    @Test
    void revisionsFollowTheOrderOfCommitsWithoutGaps() {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        List<CompletableFuture<List<Reply>>> writers = new ArrayList<>();
        for (int w = 0; w < 16; w++) {
            int writer = w;
            Api api = (w % 2 == 0 ? node : second).admin();
            writers.add(CompletableFuture.supplyAsync(
                    () -> {
                        List<Reply> replies = new ArrayList<>();
                        for (int i = 0; i < 25; i++) {
                            replies.add(api.post(
                                    "/config",
                                    "{\"key\":\"w" + writer + "." + i + "\",\"value\":" + i
                                            + ",\"environment\":\"log\"}"));
                        }
                        return replies;
                    },
                    threads));
        }
        Set<Long> revisions = new HashSet<>();
        for (CompletableFuture<List<Reply>> writer : writers) {
            long last = 0;
            for (Reply reply : writer.join()) {
                assertThat(reply.status()).isEqualTo(201);
                assertThat(reply.revision()).isGreaterThan(last);
                last = reply.revision();
                revisions.add(last);
            }
        }
        threads.shutdown();

        assertThat(revisions).hasSize(400);
        assertThat(node.sql("select count(*) = max(revision) and min(revision) = 1 from changes")
                        .get(0))
                .containsExactly("t");
        assertThat(node.sql("select revision = (select max(revision) from changes) from head")
                        .get(0))
                .containsExactly("t");
    }

    @Test
    void theChainOfHashesIsValid() {
        node.admin().post("/config", "{\"key\":\"chain\",\"value\":1,\"environment\":\"log\"}");

        assertThat(node.sql("""
                        select count(*) from (
                          select hash, digest, revision,
                                 lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by revision) as before
                          from changes) c
                        where hash <> sha256(before || int8send(revision) || digest)""").get(0)).containsExactly("0");
    }

    @Test
    void aWriteAppendsOneRowWithItsActorRequestIdAndComment() {
        Reply reply = node.admin()
                .with("X-Request-Id", "req-7")
                .post(
                        "/config",
                        "{\"key\":\"one-row\",\"value\":\"v\",\"environment\":\"log\",\"comment\":\"because\"}");

        assertThat(node.sql(
                                "select kind, action, resource_id, environment, service_name, name, version, actor_type, actor_id, actor,"
                                        + " request_id, comment, row ->> 'value' from changes where revision = "
                                        + reply.revision())
                        .get(0))
                .containsExactly(
                        "configuration",
                        "created",
                        reply.field("id"),
                        "log",
                        "",
                        "one-row",
                        "1",
                        "admin",
                        "admin",
                        "admin",
                        "req-7",
                        "because",
                        "v");
    }

    @Test
    void anUnconditionalUpdateIsRetriedAfterAConcurrentChange() {
        String id = node.admin()
                .post("/config", "{\"key\":\"hot\",\"value\":0,\"environment\":\"log\"}")
                .field("id");
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<CompletableFuture<Reply>> writes = new ArrayList<>();
        for (int i = 1; i <= 80; i++) {
            int value = i;
            Api api = (i % 2 == 0 ? node : second).admin();
            writes.add(CompletableFuture.supplyAsync(
                    () -> api.put("/config/" + id, "{\"value\":" + value + "}"), threads));
        }
        writes.forEach(w -> assertThat(w.join().status()).isEqualTo(200));
        threads.shutdown();
        long last = writes.stream().mapToLong(w -> w.join().revision()).max().orElseThrow();

        // the last write may have gone through the other node
        assertThat(node.admin()
                        .with("X-Min-Revision", Long.toString(last))
                        .get("/config/" + id)
                        .field("version"))
                .isEqualTo("81");
    }

    @Test
    void commandsThatCannotShareABatchAreAllExecuted() throws SQLException {
        Api api = node.admin();
        String gone = api.post("/config", body("to-go")).field("id");
        ExecutorService threads = Executors.newFixedThreadPool(60);
        List<CompletableFuture<Reply>> same = new ArrayList<>();
        List<CompletableFuture<Reply>> repeated = new ArrayList<>();
        List<CompletableFuture<Reply>> others = new ArrayList<>();
        Connection holder = dev.configservice.testing.TestServers.connect(node.setting("CS_POSTGRES_URI"));
        try (holder) {
            // while another transaction locks the head, commands queue up and form the next batch
            holder.setAutoCommit(false);
            holder.createStatement().execute("select * from head for update");
            others.add(CompletableFuture.supplyAsync(() -> api.post("/config", body("first")), threads));
            await().until(() -> node.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
                    .get(0)
                    .equals(List.of("1")));
            for (int i = 0; i < 19; i++) {
                String name = "other-" + i;
                same.add(CompletableFuture.supplyAsync(() -> api.post("/config", body("same")), threads));
                repeated.add(CompletableFuture.supplyAsync(
                        () -> api.with("Idempotency-Key", "again").post("/config", body("repeated")), threads));
                others.add(CompletableFuture.supplyAsync(() -> api.post("/config", body(name)), threads));
            }
            others.add(CompletableFuture.supplyAsync(() -> api.delete("/config/" + gone), threads));
            holder.commit();
        }
        threads.shutdown();

        assertThat(same)
                .extracting(r -> r.join().status())
                .containsOnly(201, 409)
                .containsOnlyOnce(201);
        assertThat(repeated).extracting(r -> r.join().status()).containsOnly(201);
        assertThat(repeated.stream().map(r -> r.join().revision()).distinct()).hasSize(1);
        assertThat(others).extracting(r -> r.join().status()).containsOnly(201, 204);
        assertThat(api.get("/audit/verify").json().get("verified").asBoolean()).isTrue();
        assertThat(node.sql("select count(*) from resources r join changes c on c.revision = r.revision"
                        + " where (r.version, r.row::text) is distinct from (c.version, c.row::text)"))
                .containsExactly(List.of("0"));
    }

    private static String body(String key) {
        return "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"batches\"}";
    }

    /**
     * Guards against a query plan that PostgreSQL keeps from when the table was empty: later, it would scan the whole
     * table.
     */
    @Test
    void aWriteReadsNoMoreOfALargeTableThanOfAnEmptyOne() {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try (TestNode fresh = TestNode.start(java.util.Map.of())) {
            List<CompletableFuture<Void>> writers = new ArrayList<>();
            for (int w = 0; w < 16; w++) {
                int writer = w;
                writers.add(CompletableFuture.runAsync(
                        () -> {
                            for (int i = 0; i < 100; i++) {
                                Reply made = fresh.admin()
                                        .post(
                                                "/config",
                                                "{\"key\":\"w" + writer + "." + i
                                                        + "\",\"value\":1,\"environment\":\"log\"}");
                                assertThat(made.status()).isEqualTo(201);
                                assertThat(fresh.admin()
                                                .put("/config/" + made.field("id"), "{\"value\":2}")
                                                .status())
                                        .isEqualTo(200);
                            }
                        },
                        threads));
            }
            writers.forEach(CompletableFuture::join);

            // an idle backend reports its last statistics after ten seconds
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(fresh.sql("select n_tup_ins >= 1600 and n_tup_upd >= 1600"
                                            + " from pg_stat_user_tables where relname = 'resources'")
                                    .get(0))
                            .containsExactly("t"));
            long rows = Long.parseLong(fresh.sql("select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
                            + " from pg_stat_user_tables where relname = 'resources'")
                    .get(0)
                    .get(0));
            assertThat(rows).isLessThan(20L * 3200);
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aResourceCreatedThroughOneNodeCanBeChangedThroughAnother() {
        for (int i = 0; i < 50; i++) {
            String id = node.admin()
                    .post("/config", "{\"key\":\"at-once-" + i + "\",\"value\":0,\"environment\":\"log\"}")
                    .field("id");
            Reply changed = second.admin().put("/config/" + id, "{\"value\":1}");
            assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        }
    }

    @Test
    void aClientReadsItsWritesThroughEveryNode() {
        Api here = node.admin();
        for (int i = 0; i < 200; i++) {
            Reply write = i == 0
                    ? here.post(
                            "/config", "{\"key\":\"seen\",\"value\":0,\"environment\":\"log\",\"service_name\":\"s\"}")
                    : here.put("/config/" + idOf("seen"), "{\"value\":" + i + "}");
            Reply read = second.anonymous()
                    .with("X-Min-Revision", Long.toString(write.revision()))
                    .get("/config/seen?environment=log&service_name=s");
            assertThat(read.field("value")).isEqualTo(Integer.toString(i));
            assertThat(read.revision()).isGreaterThanOrEqualTo(write.revision());
        }
    }

    private static String idOf(String key) {
        return node.anonymous()
                .get("/config/" + key + "?environment=log&service_name=s")
                .field("id");
    }
}
