package dev.configservice.change;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
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
    void revisionsAreTheOrderOfCommitsWithoutGaps() {
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
    void theChainOfHashesHolds() {
        node.admin().post("/config", "{\"key\":\"chain\",\"value\":1,\"environment\":\"log\"}");

        assertThat(node.sql("""
                        select count(*) from (
                          select hash, digest, revision,
                                 lag(hash, 1, decode(repeat('00', 32), 'hex')) over (order by revision) as before
                          from changes) c
                        where hash <> sha256(before || int8send(revision) || digest)""").get(0)).containsExactly("0");
    }

    @Test
    void aWriteIsOneRowWithItsActorRequestAndReason() {
        Reply reply = node.admin()
                .with("X-Request-Id", "req-7")
                .post(
                        "/config",
                        "{\"key\":\"one-row\",\"value\":\"v\",\"environment\":\"log\",\"comment\":\"because\"}");

        assertThat(node.sql("select kind, action, resource_id, environment, service_name, name, version, actor,"
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
                        "req-7",
                        "because",
                        "v");
    }

    @Test
    void aCommandWithoutConditionThatMeetsAMovedVersionIsComputedAgain() {
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

        // the last of them may have been another node's
        assertThat(node.admin()
                        .with("X-Min-Revision", Long.toString(last))
                        .get("/config/" + id)
                        .field("version"))
                .isEqualTo("81");
    }

    @Test
    void whatWasMadeThroughOneNodeIsChangedThroughAnotherAtOnce() {
        for (int i = 0; i < 50; i++) {
            String id = node.admin()
                    .post("/config", "{\"key\":\"at-once-" + i + "\",\"value\":0,\"environment\":\"log\"}")
                    .field("id");
            Reply changed = second.admin().put("/config/" + id, "{\"value\":1}");
            assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        }
    }

    @Test
    void whatOneClientWroteItReadsThroughEveryNode() {
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
