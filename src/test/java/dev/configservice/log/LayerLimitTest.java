package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The largest size of what is read together: a layer, the flags of an environment, the instances of a service. */
class LayerLimitTest {
    private static final int LIMIT = 64 << 10;

    private static TestNode node() {
        return TestNode.start(Map.of(
                "CS_CONFIG_LAYER_MAX_BYTES", "64k",
                "CS_FLAGS_ENVIRONMENT_MAX_BYTES", "64k",
                "CS_REGISTRY_SERVICE_MAX_BYTES", "64k"));
    }

    private static Reply create(Api api, String key, int length) {
        return api.post(
                "/config", "{\"key\":\"" + key + "\",\"value\":\"" + "v".repeat(length) + "\",\"environment\":\"e\"}");
    }

    /** Checks that the sizes that the log keeps are those of what is stored. */
    private static void assertCounted(TestNode node) {
        assertThat(node.sql("""
                        select u.unit, u.bytes, coalesce(sum(r.bytes), 0), coalesce(sum(
                                 octet_length(r.row::text) + octet_length(r.name) + coalesce(octet_length(r.sealed), 0)), 0)
                        from units u
                        left join resources r on u.unit = r.kind || '/' || r.environment || '/' || r.service_name
                        group by 1, 2
                        having u.bytes <> coalesce(sum(r.bytes), 0) or u.bytes <> coalesce(sum(
                                 octet_length(r.row::text) + octet_length(r.name) + coalesce(octet_length(r.sealed), 0)), 0)""")).isEmpty();
    }

    @Test
    void aLayerGrowsToItsLimitAndCanShrink() throws Exception {
        try (TestNode node = node()) {
            Api admin = node.admin();
            Reply first = create(admin, "first", 30_000);
            assertThat(first.status()).isEqualTo(201);
            assertThat(create(admin, "second", 30_000).status()).isEqualTo(201);
            Reply refused = create(admin, "third", 10_000);
            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.field("type")).isEqualTo("layer-full");
            assertThat(refused.field("detail")).contains(Integer.toString(LIMIT));
            String path = "/config/" + first.field("id");
            assertThat(admin.put(path, "{\"value\":\"" + "w".repeat(40_000) + "\"}")
                            .field("type"))
                    .isEqualTo("layer-full");
            // what does not make it grow passes, as does every other layer
            assertThat(admin.put(path, "{\"value\":\"" + "w".repeat(30_000) + "\"}")
                            .status())
                    .isEqualTo(200);
            assertThat(admin.post(
                                    "/config",
                                    "{\"key\":\"k\",\"value\":\"" + "v".repeat(40_000)
                                            + "\",\"environment\":\"e\",\"service_name\":\"s\"}")
                            .status())
                    .isEqualTo(201);
            assertThat(admin.put(path, "{\"value\":\"short\"}").status()).isEqualTo(200);
            assertThat(create(admin, "third", 10_000).status()).isEqualTo(201);
            assertThat(admin.delete(path).status()).isEqualTo(204);
            assertCounted(node);

            // many at once do not pass together what they may not pass one by one
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String key = "parallel-" + i;
                replies.add(CompletableFuture.supplyAsync(() -> create(admin, key, 3000)));
            }
            long done = 0;
            for (CompletableFuture<Reply> reply : replies) {
                assertThat(reply.get().status()).isIn(201, 409);
                done += reply.get().status() == 201 ? 1 : 0;
            }
            assertThat(done).isBetween(5L, 8L);
            assertCounted(node);
            long bytes = Long.parseLong(node.sql("select bytes from units where unit = 'configuration/e/'")
                    .get(0)
                    .get(0));
            assertThat(bytes).isLessThanOrEqualTo(LIMIT);
        }
    }

    @Test
    void flagsAndInstancesHaveALimitButHeartbeatsAreNeverRefused() {
        try (TestNode node = node()) {
            Api admin = node.admin();
            int flags = 0;
            Reply flag;
            do {
                flag = admin.post(
                        "/feature-flags",
                        "{\"name\":\"f" + flags++ + "\",\"environment\":\"e\",\"description\":\"" + "d".repeat(1900)
                                + "\"}");
            } while (flag.status() == 201);
            assertThat(flag.field("type")).isEqualTo("layer-full");
            assertThat(flags).isBetween(20, 40);
            int instances = 0;
            Reply instance;
            do {
                instance = admin.post(
                        "/registry/register",
                        "{\"service_name\":\"s\",\"instance_id\":\"i" + instances++
                                + "\",\"service_url\":\"http://a:1\",\"metadata\":{\"m\":\"" + "m".repeat(900)
                                + "\"}}");
            } while (instance.status() == 200);
            assertThat(instance.field("type")).isEqualTo("layer-full");
            for (int i = 0; i < instances - 1; i++) {
                assertThat(admin.put(
                                        "/registry/health",
                                        "{\"service_name\":\"s\",\"instance_id\":\"i" + i
                                                + "\",\"status\":\"unhealthy\"}")
                                .status())
                        .isEqualTo(200);
            }
            assertCounted(node);
        }
    }
}
