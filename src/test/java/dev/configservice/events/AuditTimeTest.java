package dev.configservice.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Times in the log never go back, so that a time stands for one place in it. */
class AuditTimeTest {
    private static void write(TestNode node, int number) {
        Reply written = node.admin()
                .post("/config", "{\"key\":\"k" + number + "\",\"value\":1,\"environment\":\"e" + number % 3 + "\"}");
        assertThat(written.status()).isEqualTo(201);
    }

    private static List<Long> revisions(TestNode node, String query) {
        Reply page = node.admin().get("/audit?limit=500&" + query);
        assertThat(page.status()).as(page.text()).isEqualTo(200);
        List<Long> revisions = new ArrayList<>();
        page.json().get("items").forEach(i -> revisions.add(i.get("revision").longValue()));
        return revisions;
    }

    @Test
    void timesFindExactlyWhatOccurredBetweenThem() {
        try (TestNode node = TestNode.start(Map.of())) {
            for (int i = 0; i < 60; i++) {
                write(node, i);
            }
            JsonNode all = node.admin().get("/audit?limit=500").json().get("items");
            assertThat(all).hasSize(60);
            for (int i = 0; i < 60; i += 7) {
                String at = all.get(i).get("occurred_at").textValue();
                List<Long> before = new ArrayList<>();
                List<Long> since = new ArrayList<>();
                for (JsonNode item : all) {
                    boolean isBefore =
                            Instant.parse(item.get("occurred_at").textValue()).isBefore(Instant.parse(at));
                    (isBefore ? before : since).add(item.get("revision").longValue());
                }
                assertThat(revisions(node, "until=" + at)).isEqualTo(before);
                assertThat(revisions(node, "since=" + at)).isEqualTo(since);
                assertThat(revisions(node, "since=" + at + "&environment=e1&until=2999-01-01T00:00:00Z"))
                        .isSubsetOf(since);
            }
            assertThat(revisions(node, "since=2999-01-01T00:00:00Z")).isEmpty();
            assertThat(revisions(node, "until=1999-01-01T00:00:00Z")).isEmpty();
            assertThat(revisions(node, "since=1999-01-01T00:00:00Z")).hasSize(60);
        }
    }

    @Test
    void aChangeIsNeverStampedEarlierThanTheOneBeforeIt() {
        try (TestNode node = TestNode.start(Map.of())) {
            write(node, 0);
            // as if another node, whose clock is ahead, had written
            node.sql("update head set at = now() + interval '1 hour'");

            write(node, 1);
            write(node, 2);

            List<List<String>> times = node.sql("select occurred_at >= now() + interval '55 minutes' from changes"
                    + " where revision > 1 order by revision");
            assertThat(times).hasSize(2).allSatisfy(row -> assertThat(row).containsExactly("t"));
            assertThat(node.sql("select count(*) from changes c join changes d on d.revision = c.revision + 1"
                                    + " where d.occurred_at < c.occurred_at")
                            .get(0))
                    .containsExactly("0");
        }
    }
}
