package dev.configservice.flag;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Evaluations that are too long for an event loop: they are right, bounded in number, and hold up nothing else. */
class LongEvaluationTest {
    private static final int FLAGS = 40;

    private final Api admin = TestNode.shared().admin();
    private final Api anyone = TestNode.shared().anonymous();
    private final String environment = "env-" + UUID.randomUUID();

    private String bulk(String text) {
        return "{\"environment\":\"" + environment + "\",\"user_id\":\"u\",\"context\":{\"text\":\"" + text + "\"}}";
    }

    private void create() {
        for (int i = 0; i < FLAGS; i++) {
            Reply created = admin.post(
                    "/feature-flags",
                    "{\"name\":\"f" + i + "\",\"environment\":\"" + environment
                            + "\",\"is_enabled\":true,\"rules\":[{\"constraints\":[{\"attribute\":\"text\","
                            + "\"operator\":\"matches\",\"values\":[\"^(a|b|[c-x]){2,200}z" + i + "$\"]}]}]}");
            assertThat(created.status()).as(created.text()).isEqualTo(201);
        }
    }

    @Test
    void manyLongEvaluationsAreRightOrRefusedWhileShortOnesGoOn() {
        create();
        String longText = "ab".repeat(99) + "z7";
        ExecutorService threads = Executors.newFixedThreadPool(100);
        try {
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                // the same result from a string that no pattern is applied to for long
                String text = i % 2 == 0 ? longText : "x".repeat(4000) + "z7";
                replies.add(CompletableFuture.supplyAsync(
                        () -> anyone.post("/feature-flags/evaluate/bulk", bulk(text)), threads));
            }
            Reply shortOne = anyone.post(
                    "/feature-flags/evaluate",
                    "{\"flag_name\":\"f7\",\"environment\":\"" + environment
                            + "\",\"user_id\":\"u\",\"context\":{\"text\":\"abz7\"}}");
            assertThat(shortOne.status()).isEqualTo(200);
            assertThat(shortOne.json().get("enabled").asBoolean()).isTrue();

            int right = 0;
            for (int i = 0; i < replies.size(); i++) {
                Reply reply = replies.get(i).join();
                if (reply.status() == 503) {
                    assertThat(reply.header("Retry-After")).isNotEmpty();
                    continue;
                }
                assertThat(reply.status()).as(reply.text()).isEqualTo(200);
                JsonNode items = reply.json().get("items");
                assertThat(items).hasSize(FLAGS);
                assertThat(items.get("f7").get("enabled").asBoolean()).isEqualTo(i % 2 == 0);
                assertThat(items.get("f8").get("enabled").asBoolean()).isFalse();
                right++;
            }
            assertThat(right).isPositive();
        } finally {
            threads.shutdown();
        }
    }
}
