package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestRedis;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TierFaultTest {
    private final TestPostgres postgres = new TestPostgres();
    private final TestRedis redis = new TestRedis();

    @AfterEach
    void stop() {
        redis.close();
        postgres.close();
    }

    private TestNode node(String redisUri) {
        return TestNode.start(Map.of(
                "CS_POSTGRES_URI",
                postgres.uri(),
                "CS_REDIS_URI",
                redisUri,
                "CS_CLUSTER_NAME",
                "tiers-" + postgres.port()));
    }

    private static Reply create(TestNode node, String service, String key) {
        Reply reply = node.admin()
                .post(
                        "/config",
                        "{\"key\":\"" + key + "\",\"value\":\"v\",\"environment\":\"e\",\"service_name\":\"" + service
                                + "\"}");
        assertThat(reply.status()).isEqualTo(201);
        return reply;
    }

    @Test
    void aNodeThatStartsWithoutPostgresServesTheSnapshotsInRedis() {
        try (TestNode first = node(redis.uri())) {
            create(first, "held", "k");
            create(first, "other", "k");
            for (String service : java.util.List.of("held", "other")) {
                assertThat(first.anonymous()
                                .get("/config/k?environment=e&service_name=" + service)
                                .status())
                        .isEqualTo(200);
            }
        }
        postgres.stop();
        try (TestNode second = node(redis.uri())) {
            Reply read = second.anonymous().get("/config/k?environment=e&service_name=held");
            assertThat(read.status()).as(read.text()).isEqualTo(200);
            assertThat(read.header("X-Config-Stale")).isNotEmpty();
            assertThat(second.anonymous()
                            .get("/config/nothing?environment=e&service_name=held")
                            .status())
                    .isEqualTo(404);
            assertThat(second.anonymous().get("/config/k?environment=never").status())
                    .isEqualTo(404);
            Reply write = second.admin().post("/config", "{\"key\":\"w\",\"value\":1,\"environment\":\"e\"}");
            assertThat(write.status()).isEqualTo(503);
            assertThat(write.header("Retry-After")).isNotEmpty();

            postgres.start();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(second.admin()
                                    .post("/config", "{\"key\":\"w\",\"value\":1,\"environment\":\"e\"}")
                                    .status())
                            .isIn(201, 409));
        }
    }

    @Test
    void aNodeThatStartsWithoutAnyTierServesNothingAsEmpty() {
        try (TestNode first = node("")) {
            create(first, "s", "k");
        }
        postgres.stop();
        try (TestNode second = node("")) {
            assertThat(second.anonymous().get("/ready").status()).isEqualTo(503);
            assertThat(second.anonymous().get("/live").status()).isEqualTo(200);
            Reply read = second.anonymous().get("/config/k?environment=e&service_name=s");
            assertThat(read.status()).isEqualTo(503);
            assertThat(read.header("Retry-After")).isNotEmpty();
            postgres.start();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(second.anonymous()
                                    .get("/config/k?environment=e&service_name=s")
                                    .status())
                            .isEqualTo(200));
        }
    }

    @Test
    void aLayerThatIsMissingFromAllTiersIsNotServedAsEmpty() {
        try (TestNode first = node(redis.uri())) {
            create(first, "s", "k");
            assertThat(first.admin()
                            .post("/config", "{\"key\":\"k\",\"value\":\"shared\",\"environment\":\"e\"}")
                            .status())
                    .isEqualTo(201);
            assertThat(first.anonymous().get("/config/k?environment=e").status())
                    .isEqualTo(200);
            // snapshots are written to Redis in the background
            await().until(() -> redis.everything().contains("shared"));
        }
        // Redis knows that the service's layer exists, but lost the layer itself
        assertThat(redis.delete("cs:{tiers-" + postgres.port() + "}:s:configuration/e/s"))
                .isPositive();
        postgres.stop();
        try (TestNode second = node(redis.uri())) {
            assertThat(second.anonymous().get("/config/k?environment=e").field("value"))
                    .isEqualTo("shared");
            assertThat(second.anonymous()
                            .get("/config/k?environment=e&service_name=s")
                            .status())
                    .isEqualTo(503);
        } finally {
            postgres.start();
        }
    }

    @Test
    void unitsThatRedisLostAreNotServedAsEmpty() {
        String name = "cs:{tiers-" + postgres.port() + "}:";
        for (String lost : List.of("DEL " + name + "units", "HDEL " + name + "units configuration/e/held")) {
            try (TestNode first = node(redis.uri())) {
                // the previous round may have created it
                assertThat(first.admin()
                                .post(
                                        "/config",
                                        "{\"key\":\"k\",\"value\":1,\"environment\":\"e\",\"service_name\":\"held\"}")
                                .status())
                        .isIn(201, 409);
                create(first, "other-" + UUID.randomUUID(), "k");
                await().until(() -> redis.everything().contains("configuration/e/held"));
            }
            assertThat(redis.command(lost)).isEqualTo(1);
            try (TestNode second = node(redis.uri())) {
                assertThat(second.anonymous()
                                .get("/config/k?environment=e&service_name=held")
                                .status())
                        .as("with PostgreSQL, after %s", lost)
                        .isEqualTo(200);
            }
            assertThat(redis.command(lost)).isEqualTo(1);
            postgres.stop();
            try (TestNode third = node(redis.uri())) {
                assertThat(third.anonymous()
                                .get("/config/k?environment=e&service_name=held")
                                .status())
                        .as("without PostgreSQL, after %s", lost)
                        .isEqualTo(503);
                assertThat(third.anonymous().get("/ready").status()).isEqualTo(503);
            } finally {
                postgres.start();
            }
        }
    }

    @Test
    void aHungRedisDelaysAReadByItsDeadlineAtMost() {
        try (TestNode first = node(redis.uri())) {
            for (int i = 0; i < 10; i++) {
                create(first, "s" + i, "k");
            }
        }
        try (TestNode second = node(redis.uri())) {
            redis.hang();
            try {
                for (int i = 0; i < 10; i++) {
                    long started = System.nanoTime();
                    Reply read = second.anonymous().get("/config/k?environment=e&service_name=s" + i);
                    assertThat(read.status()).isEqualTo(200);
                    assertThat(read.header("X-Config-Stale")).isEmpty();
                    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofMillis(800));
                }
                create(second, "s0", "while-hung");
                assertThat(second.anonymous().get("/health").text()).contains("\"part\":\"redis\",\"status\":\"DOWN\"");
            } finally {
                redis.goOn();
            }
        }
    }

    @Test
    void aHungMemberOfTheGridDelaysAReadByTheDeadlineOfItsTierAtMost() {
        try (TestNode writer = node(redis.uri())) {
            for (int i = 0; i < 60; i++) {
                create(writer, "s" + i, "k");
            }
        }
        try (TestNode node = node(redis.uri());
                NodeProcess hung = NodeProcess.join(node, Map.of())) {
            Api other = hung.api();
            for (int i = 0; i < 60; i++) {
                // the snapshot is now in the grid and in Redis, but not in the near cache of the other node
                assertThat(other.get("/config/k?environment=e&service_name=s" + i)
                                .status())
                        .isEqualTo(200);
            }
            Map<String, Duration> took = new TreeMap<>();
            hung.hang();
            try {
                for (int i = 0; i < 60; i++) {
                    long started = System.nanoTime();
                    Reply read = node.anonymous().get("/config/k?environment=e&service_name=s" + i);
                    took.put("s" + i, Duration.ofNanos(System.nanoTime() - started));
                    assertThat(read.status()).isEqualTo(200);
                    assertThat(read.header("X-Config-Stale")).isEmpty();
                }
                create(node, "s0", "while-hung");
            } finally {
                hung.goOn();
            }
            Duration longest = Collections.max(took.values());
            System.out.println("the slowest of 60 reads while a member of the grid hangs: " + longest.toMillis()
                    + " ms; "
                    + took.values().stream().filter(d -> d.toMillis() >= 50).count() + " took 50 ms or more");
            // the hung member owns some keys: they wait for the tier's 50 ms, and none for the grid's own timeouts
            assertThat(longest).isLessThan(Duration.ofMillis(500));
        }
    }

    @Test
    void aNodeWithoutPostgresStopsTrustingAccessKeysWhileReadsContinue() {
        try (TestNode node = TestNode.start(
                Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", "", "CS_ACCESS_MAX_STALE", "4s"))) {
            create(node, "s", "k");
            Reply given = node.admin().post("/access/keys", "{\"name\":\"k\",\"rights\":[\"audit:read\"]}");
            Api caller = node.anonymous().key(given.field("key"));
            String path = "/config/k?environment=e&service_name=s";
            assertThat(caller.get(path).status()).isEqualTo(200);

            postgres.stop();

            // the key is still trusted for a while
            assertThat(caller.get("/access/self").status()).isEqualTo(200);
            await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                Reply refused = caller.get("/access/self");
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.header("Retry-After")).isNotEmpty();
            });
            assertThat(node.anonymous().get(path).status()).isEqualTo(200);
            postgres.start();
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() ->
                            assertThat(caller.get("/access/self").status()).isEqualTo(200));
        }
    }
}
