package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** A node that is asked for more than its memory has room for. */
class MemoryBudgetTest {
    private static double bytes(TestNode node, String part) {
        return node.anonymous()
                .get("/metrics")
                .text()
                .lines()
                .filter(l -> l.startsWith("config_service_cache_bytes{") && l.contains("part=\"" + part + "\""))
                .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void snapshotsStayWithinTheBudgetAndEverythingIsAnswered() {
        long budget = 16L << 20;
        try (TestNode node = TestNode.start(Map.of("CS_CACHE_MAX_BYTES", "16M"))) {
            for (int i = 0; i < 60; i++) {
                Reply created = node.admin()
                        .post(
                                "/config",
                                "{\"key\":\"k\",\"value\":\"" + ("v" + i).repeat(50_000) + "\",\"environment\":\"e\","
                                        + "\"service_name\":\"s" + i + "\"}");
                assertThat(created.status()).isEqualTo(201);
            }
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 60; i++) {
                    Reply layer = node.anonymous().get("/config/service/s" + i + "?environment=e");
                    assertThat(layer.status()).isEqualTo(200);
                    assertThat(layer.json().get(0).get("value").asText()).startsWith("v" + i);
                }
                assertThat(bytes(node, "near") + bytes(node, "ahead") + bytes(node, "merged"))
                        .isPositive()
                        .isLessThanOrEqualTo(budget * 3 / 4.0);
            }
        }
    }

    @Test
    void whatARequestReadsOrChangesAtOnceIsBounded() throws Exception {
        try (TestNode node = TestNode.start(Map.of("CS_CACHE_MAX_BYTES", "16M"))) {
            Api admin = node.admin();
            // two services of 11 MB each: one is read at once, both are not
            String value = "\"" + "v".repeat(1_000_000) + "\"";
            for (int i = 0; i < 22; i++) {
                assertThat(admin.put("/config/" + path(i), "{\"value\":" + value + "}")
                                .status())
                        .isEqualTo(201);
            }
            String at = "&at=" + admin.get("/changes?limit=1").header("X-Config-Revision");
            assertThat(at).hasSizeGreaterThan(4);
            for (String ask :
                    List.of("/export?environment=e", "/diff?environment=e&other=f", "/config?environment=e" + at)) {
                Reply whole = admin.get(ask);
                assertThat(whole.status()).as(ask).isEqualTo(400);
                assertThat(whole.text()).contains("service_name").contains("20 MiB");
                assertThat(admin.get(ask + "&service_name=s0").status()).as(ask).isEqualTo(200);
            }
            assertThat(admin.get("/config/service/s0?environment=e" + at).json())
                    .hasSize(11);

            Reply tooMuch = admin.post("/change-sets", deletions(17));
            assertThat(tooMuch.status()).isEqualTo(413);
            assertThat(tooMuch.text()).contains("too-many-changes").contains("16 MiB");
            Reply deleted = admin.post("/change-sets", deletions(12));
            assertThat(deleted.status()).as(deleted.text()).isEqualTo(200);
            String set = "/change-sets/" + deleted.field("id");
            assertThat(admin.get(set).json().get("results")).hasSize(12);
            assertThat(admin.post(set + "/revert", "{}").status()).isEqualTo(200);

            // at once they are more than a batch of the writer reads
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < 22; i++) {
                ids.add(admin.get("/config/" + path(i)).field("id"));
            }
            ExecutorService threads = Executors.newFixedThreadPool(ids.size());
            try {
                List<Future<Reply>> replies = new ArrayList<>();
                ids.forEach(id -> replies.add(threads.submit(() -> admin.delete("/config/" + id))));
                for (Future<Reply> reply : replies) {
                    assertThat(reply.get().status()).isEqualTo(204);
                }
            } finally {
                threads.shutdown();
            }
        }
    }

    private static String path(int i) {
        return "k" + i + "?environment=e&service_name=s" + i / 11;
    }

    private static String deletions(int count) {
        ObjectNode body = Json.object();
        ArrayNode operations = body.putArray("operations");
        for (int i = 0; i < count; i++) {
            operations
                    .addObject()
                    .put("op", "delete")
                    .put("resource_type", "configuration")
                    .put("environment", "e")
                    .put("service_name", "s" + i / 11)
                    .put("key", "k" + i);
        }
        return Json.write(body);
    }
}
