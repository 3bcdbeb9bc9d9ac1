package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresFaultTest {
    private static TestPostgres postgres;
    private static TcpProxy proxy;
    private static TestNode node;
    private final String env = "env-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        postgres = new TestPostgres();
        proxy = new TcpProxy(postgres.port());
        node = TestNode.start(
                Map.of("CS_POSTGRES_URI", "postgresql://postgres@127.0.0.1:" + proxy.port() + "/postgres"));
    }

    @AfterAll
    static void stop() {
        node.close();
        proxy.close();
        postgres.close();
    }

    private Reply create(Api api, String key) {
        return api.post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"" + env + "\"}");
    }

    private String rows(String key) {
        return TestNode.sql(
                        postgres.uri(),
                        "select count(*) from changes where environment = '" + env + "' and name = '" + key + "'")
                .get(0)
                .get(0);
    }

    @Test
    void aWriteIsNotRepeatedIfTheConnectionIsCutAfterTheCommit() throws InterruptedException {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);
        CountDownLatch cut = proxy.cutAnswerOf("apply_batch");

        Reply reply = create(node.admin(), "cut");

        assertThat(cut.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(reply.status()).isEqualTo(201);
        assertThat(rows("cut")).isEqualTo("1");
        assertThat(node.anonymous().get("/config/cut?environment=" + env).status())
                .isEqualTo(200);
    }

    @Test
    void aWriteIsRetriedIfTheConnectionIsCutBeforeItArrives() throws InterruptedException {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);
        CountDownLatch cut = proxy.cutRequestOf("apply_batch");

        Reply reply = create(node.admin(), "lost");

        assertThat(cut.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(reply.status()).isEqualTo(201);
        assertThat(rows("lost")).isEqualTo("1");
    }

    private static String set(String env, int first, String fields) {
        StringBuilder operations = new StringBuilder();
        for (int i = first; i < first + 10; i++) {
            operations
                    .append(i > first ? "," : "")
                    .append("{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"" + env
                            + "\",\"key\":\"set" + i + "\",\"value\":1}");
        }
        return "{" + fields + "\"operations\":[" + operations + "]}";
    }

    /** Checks sets whose call was lost on the way there, on the way back, and while their resources were read. */
    @Test
    void aSetIsWrittenOnceAndWholeWhereverTheConnectionIsCut() throws InterruptedException {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);
        CountDownLatch cut = proxy.cutAnswerOf("apply_batch");
        Reply done = node.admin().post("/change-sets", set(env, 0, ""));
        assertThat(cut.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(done.status()).as(done.text()).isEqualTo(200);
        assertThat(done.json().get("results")).hasSize(10);
        for (int i = 0; i < 10; i++) {
            assertThat(rows("set" + i)).isEqualTo("1");
        }
        CountDownLatch lost = proxy.cutRequestOf("apply_batch");
        Reply retried = node.admin().post("/change-sets", set(env, 10, ""));
        assertThat(lost.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(retried.status()).as(retried.text()).isEqualTo(200);
        assertThat(rows("set10")).isEqualTo("1");
        CountDownLatch reading = proxy.cutAnswerOf("as want(k, i");
        Reply changed = node.admin().post("/change-sets", set(env, 0, "").replace("\"value\":1", "\"value\":2"));
        assertThat(reading.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(changed.status()).as(changed.text()).isEqualTo(200);
        assertThat(rows("set0")).isEqualTo("2");
    }

    /** Checks writes that are judged by their unit, too: prerequisites depend on the other flags of the environment. */
    @Test
    void aWriteIsNotRepeatedIfTheConnectionIsCutWhileItsResourceIsRead() throws Exception {
        Api admin = node.admin();
        List<String> paths = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Reply created = admin.post("/feature-flags", "{\"name\":\"f" + i + "\",\"environment\":\"" + env + "\"}");
            assertThat(created.status()).isEqualTo(201);
            paths.add("/feature-flags/" + created.field("id"));
        }
        ExecutorService threads = Executors.newFixedThreadPool(paths.size());
        CountDownLatch cut = proxy.cutAnswerOf("as want(k, i");

        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (String path : paths.subList(1, paths.size())) {
            replies.add(CompletableFuture.supplyAsync(
                    () -> node.admin().put(path, "{\"prerequisites\":[{\"flag_name\":\"f0\"}]}"), threads));
        }

        for (CompletableFuture<Reply> reply : replies) {
            assertThat(reply.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
        }
        threads.shutdown();
        assertThat(cut.await(0, TimeUnit.SECONDS)).isTrue();
        for (int i = 1; i < paths.size(); i++) {
            assertThat(rows("f" + i)).as("changes of f%d", i).isEqualTo("2");
        }
    }

    @Test
    void aWriteWithUnknownOutcomeIsResolvedByItsIdempotencyKey() throws InterruptedException {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);
        Api keyed = node.admin().with("Idempotency-Key", UUID.randomUUID().toString());
        CountDownLatch cut = proxy.cutAnswerOf("apply_batch");
        CompletableFuture<Void> refuse = CompletableFuture.runAsync(() -> {
            try {
                cut.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            proxy.refuse(true);
            proxy.cutAll();
        });

        Reply unknown;
        try {
            unknown = create(keyed, "unknown");
        } finally {
            refuse.join();
            proxy.refuse(false);
        }

        // the writer may have learned the outcome just before the proxy refused connections
        assertThat(unknown.status()).isIn(503, 201);
        if (unknown.status() == 503) {
            assertThat(unknown.field("type")).isEqualTo("outcome-unknown");
            assertThat(unknown.header("Retry-After")).isNotEmpty();
        }
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(create(keyed, "unknown").status()).isEqualTo(201));
        assertThat(rows("unknown")).isEqualTo("1");
    }

    @Test
    void aNodeServesReadsWhilePostgresIsDownAndRecovers() {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);

        postgres.kill();
        try {
            checkWhilePostgresIsUnreachable();
        } finally {
            postgres.start();
        }
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(create(node.admin(), "after").status()).isIn(201, 409));
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(node.anonymous()
                                .get("/config/after?environment=" + env)
                                .header("X-Config-Stale"))
                        .isEmpty());
    }

    private void checkWhilePostgresIsUnreachable() {
        Reply refused = create(node.admin(), "away");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.header("Retry-After")).isNotEmpty();
        Reply read = node.anonymous().get("/config/before?environment=" + env);
        assertThat(read.status()).isEqualTo(200);
        assertThat(Long.parseLong(read.header("X-Config-Stale"))).isPositive();
        assertThat(node.anonymous().get("/health").status()).isEqualTo(503);
        assertThat(node.anonymous().get("/ready").status()).isEqualTo(200);
        assertThat(node.anonymous().get("/config?environment=" + env).status()).isEqualTo(503);
    }

    @Test
    void aNodeServesReadsWhilePostgresHangsAndRecovers() {
        assertThat(create(node.admin(), "before").status()).isEqualTo(201);

        postgres.hang();
        try {
            long started = System.nanoTime();
            Reply refused = create(node.admin(), "hung");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(8));
            Reply read = node.anonymous().get("/config/before?environment=" + env);
            assertThat(read.status()).isEqualTo(200);
            assertThat(read.header("X-Config-Stale")).isNotEmpty();
        } finally {
            postgres.goOn();
        }
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(create(node.admin(), "after").status()).isIn(201, 409));
        assertThat(Integer.parseInt(rows("hung"))).isLessThanOrEqualTo(1);
        assertThat(rows("after")).isEqualTo("1");
    }
}
