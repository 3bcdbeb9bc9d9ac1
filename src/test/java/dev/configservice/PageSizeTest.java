package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Pages of what is large end by their size, and following them gives everything once. */
class PageSizeTest {
    private static final int CHANGES = 24;
    private static final int MAX_PAGE = 7_000_000;

    private static TestNode node;
    private static String id = "";

    @BeforeAll
    static void write() {
        node = TestNode.start(Map.of());
        for (int i = 0; i < CHANGES; i++) {
            String value = "\"" + i + "x".repeat(1_000_000) + "\"";
            Reply written = i == 0
                    ? node.admin()
                            .post("/config", "{\"key\":\"history\",\"value\":" + value + ",\"environment\":\"large\"}")
                    : node.admin().put("/config/" + id, "{\"value\":" + value + "}");
            assertThat(written.status()).isIn(200, 201);
            id = String.valueOf(written.field("id"));
            Reply other = node.admin()
                    .post(
                            "/config",
                            "{\"key\":\"k" + i + "\",\"value\":" + value
                                    + ",\"environment\":\"large\",\"service_name\":\"s" + i + "\"}");
            assertThat(other.status()).isEqualTo(201);
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static Set<String> follow(String path, String member) {
        Set<String> seen = new HashSet<>();
        String token = "";
        for (int pages = 0; pages < 200; pages++) {
            Reply page = node.admin().get(path + (token.isEmpty() ? "" : "&page_token=" + token));
            assertThat(page.status()).isEqualTo(200);
            assertThat(page.text().length()).isLessThan(MAX_PAGE * 2);
            assertThat(page.json().get("items")).isNotEmpty();
            for (JsonNode item : page.json().get("items")) {
                assertThat(seen.add(item.get(member).asText())).isTrue();
            }
            if (page.json().get("next_page_token").isNull()) {
                return seen;
            }
            token = page.json().get("next_page_token").textValue();
        }
        throw new AssertionError("the pages do not end");
    }

    @Test
    void aListOfLargeConfigurationsEndsItsPagesBySize() {
        assertThat(follow("/config/?environment=large&limit=500", "id")).hasSize(CHANGES + 1);
    }

    @Test
    void aHistoryOfLargeVersionsEndsItsPagesBySize() {
        assertThat(follow("/config/" + id + "/history?limit=500", "version")).hasSize(CHANGES);
    }

    @Test
    void theAuditTrailEndsItsPagesBySize() {
        assertThat(follow("/audit?environment=large&limit=500", "revision")).hasSize(2 * CHANGES);
        assertThat(follow("/audit?key=history&limit=500", "revision")).hasSize(CHANGES);
    }

    @Test
    void aPageOfLargeChangesEndsBySize() {
        Set<Long> seen = new HashSet<>();
        long after = 0;
        while (seen.size() < 2 * CHANGES) {
            Reply page = node.anonymous().get("/changes?environment=large&limit=500&after=" + after);
            assertThat(page.status()).isEqualTo(200);
            assertThat(page.text().length()).isLessThan(MAX_PAGE);
            for (JsonNode item : page.json().get("items")) {
                assertThat(seen.add(item.get("revision").longValue())).isTrue();
            }
            assertThat(page.json().get("last_revision").longValue()).isGreaterThan(after);
            after = page.json().get("last_revision").longValue();
        }
    }
}
