package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.Map;
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
}
