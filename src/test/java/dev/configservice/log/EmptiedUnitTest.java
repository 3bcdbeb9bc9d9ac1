package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestRedis;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** A unit whose last resource was deleted leaves nothing behind, and its tags never go back. */
class EmptiedUnitTest {
    private static Reply create(TestNode node, String environment, String service, String key) {
        Reply created = node.admin()
                .post(
                        "/config",
                        "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"" + environment
                                + "\",\"service_name\":\"" + service + "\"}");
        assertThat(created.status()).isEqualTo(201);
        return created;
    }

    private static void delete(TestNode node, Reply created) {
        assertThat(node.admin().delete("/config/" + created.field("id")).status())
                .isEqualTo(204);
    }

    @Test
    void shortLivedEnvironmentsLeaveNothingBehind() {
        try (TestPostgres postgres = new TestPostgres();
                TestRedis redis = new TestRedis();
                TestNode node =
                        TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri()))) {
            create(node, "stays", "s", "k");
            for (int i = 0; i < 300; i++) {
                delete(node, create(node, "brief-" + i, "s", "k"));
            }

            // the one that stays, the log's own, and marks
            long marks = number(postgres, "select count(*) from units where unit like '~/%'");
            assertThat(marks).isBetween(1L, 256L);
            assertThat(number(postgres, "select count(*) from units where unit not like '~/%'"))
                    .isEqualTo(1);
            try (Jedis client = redis.client()) {
                await().untilAsserted(() -> {
                    assertThat(client.hlen(client.keys("*:units").iterator().next()))
                            .isEqualTo(marks + 1);
                    assertThat(client.keys("*:s:*")).hasSizeLessThanOrEqualTo(1);
                });
            }
        }
    }

    @Test
    void manyThatGoAtOnceLeaveNothingInRedis() {
        try (TestPostgres postgres = new TestPostgres();
                TestRedis redis = new TestRedis();
                TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri()));
                Jedis client = redis.client()) {
            for (int round = 0; round < 4; round++) {
                set(node, "put", round);
                set(node, "delete", round);
            }
            await().untilAsserted(() -> assertThat(client.keys("*:s:*")).isEmpty());
        }
    }

    /** Does an operation in 500 environments at once. */
    private static void set(TestNode node, String op, int round) {
        String operations = IntStream.range(0, 500)
                .mapToObj(i -> "{\"op\":\"" + op + "\",\"resource_type\":\"configuration\",\"environment\":\"brief-"
                        + round + "-" + i + "\",\"key\":\"k\"" + (op.equals("put") ? ",\"value\":1}" : "}"))
                .collect(Collectors.joining(","));
        Reply done = node.admin().post("/change-sets", "{\"operations\":[" + operations + "]}");
        assertThat(done.status()).as(done.text()).isEqualTo(200);
    }

    @Test
    void whatRedisDidNotHearOfIsDeletedOnceItsPositionIsReplaced() {
        try (TestPostgres postgres = new TestPostgres();
                TestRedis redis = new TestRedis();
                TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri()));
                Jedis client = redis.client()) {
            create(node, "stays", "s", "k");
            Reply created = create(node, "goes", "s", "k");
            await().untilAsserted(() -> assertThat(client.keys("*:s:*")).hasSize(2));
            String key = client.keys("*:s:*goes*").iterator().next();
            byte[] stored = client.dump(key);
            delete(node, created);
            await().untilAsserted(() -> assertThat(client.exists(key)).isFalse());

            client.restore(key, 0L, stored);
            client.del(client.keys("*:position").iterator().next());
            // the position is looked at every five seconds
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(client.exists(key)).isFalse());
            assertThat(client.keys("*:s:*")).hasSize(1);
        }
    }

    private static long number(TestPostgres postgres, String sql) {
        return Long.parseLong(TestNode.sql(postgres.uri(), sql).get(0).get(0));
    }

    @Test
    void tagsOfListsAndLayersDifferWheneverTheirContentDoes() {
        try (TestPostgres postgres = new TestPostgres();
                TestRedis redis = new TestRedis()) {
            Set<String> layerTags = new HashSet<>();
            Set<String> listTags = new HashSet<>();
            Map<String, String> settings = Map.of("CS_POSTGRES_URI", postgres.uri(), "CS_REDIS_URI", redis.uri());
            try (TestNode node = TestNode.start(settings)) {
                create(node, "e", "other", "k");
                for (int round = 0; round < 3; round++) {
                    Reply created = create(node, "e", "s", "k");
                    newTags(node.anonymous(), layerTags, listTags);
                    delete(node, created);
                    newTags(node.anonymous(), layerTags, listTags);
                }
            }
            try (TestNode node = TestNode.start(settings)) {
                // a restart knows of the emptied unit by its mark only
                String tag =
                        node.anonymous().get("/config/service/s?environment=e").header("ETag");
                assertThat(layerTags).contains(tag);
                create(node, "e", "s", "k");
                newTags(node.anonymous(), layerTags, listTags);
            }
        }
    }

    private static void newTags(Api api, Set<String> layerTags, Set<String> listTags) {
        assertThat(layerTags.add(api.get("/config/service/s?environment=e").header("ETag")))
                .isTrue();
        assertThat(listTags.add(api.get("/config/?environment=e").header("ETag")))
                .isTrue();
    }

    @Test
    void javaAndTheDatabaseAgreeOnMarks() {
        try (TestPostgres postgres = new TestPostgres();
                TestNode node = TestNode.start(Map.of("CS_POSTGRES_URI", postgres.uri()))) {
            assertThat(node.anonymous().get("/changes").status()).isEqualTo(200);
            for (String environment : List.of("", "e", "production", "a".repeat(100), "Z._-9")) {
                for (String service : List.of("", "s", "orders-7", "z".repeat(100))) {
                    assertThat(number(postgres, "select unit_mark('" + environment + "', '" + service + "')"))
                            .isEqualTo(new UnitId("k", environment, service).markNumber());
                }
            }
        }
    }
}
