package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.EventStream;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A database that was restored to an earlier state. Nodes must no longer serve or announce what it lost. */
class EpochTest {
    private static Reply create(TestNode node, String key) {
        return node.admin().post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"e\"}");
    }

    /** Simulates a restore: removes the last two revisions and the resources that they created. */
    private static void restore(TestNode node) {
        node.sql("delete from resources where revision > 3");
        node.sql("delete from changes where revision > 3");
        node.sql("update units set revision = 3");
        node.sql("update head set revision = 3, hash = (select hash from changes where revision = 3)");
    }

    @Test
    void afterARestoreANewEpochContinuesAboveAllEarlierRevisions() {
        try (TestNode node = TestNode.start(Map.of());
                EventStream stream = new EventStream(node.anonymous(), "")) {
            for (int i = 1; i <= 5; i++) {
                assertThat(create(node, "k" + i).revision()).isEqualTo(i);
            }
            assertThat(node.anonymous().get("/config/k5?environment=e").status())
                    .isEqualTo(200);
            assertThat(stream.next().type()).isEqualTo("hello");

            restore(node);

            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(node.anonymous()
                                    .get("/config/k5?environment=e")
                                    .status())
                            .isEqualTo(404));
            assertThat(node.anonymous().get("/config/k3?environment=e").status())
                    .isEqualTo(200);
            assertThat(node.sql("select epoch, revision from head").get(0)).containsExactly("2", "6");
            Reply next = create(node, "after");
            assertThat(next.status()).isEqualTo(201);
            assertThat(next.revision()).isEqualTo(7);
            EventStream.Event event = stream.nextChange();
            while (event.type().equals("configuration.created") && event.id() <= 5) {
                event = stream.nextChange();
            }
            assertThat(event.type()).isEqualTo("resync");
            assertThat(event.id()).isEqualTo(6);
            assertThat(stream.nextChange().id()).isEqualTo(7);
            assertThat(node.admin().get("/audit/verify").json().get("verified").asBoolean())
                    .isTrue();
        }
    }

    @Test
    void aWriteRightAfterARestoreIsWrittenInTheNewEpoch() {
        try (TestNode node = TestNode.start(Map.of())) {
            for (int i = 1; i <= 5; i++) {
                create(node, "k" + i);
            }
            restore(node);

            Reply reply = create(node, "at-once");

            assertThat(reply.status()).isEqualTo(201);
            assertThat(reply.revision()).isGreaterThan(6);
            assertThat(node.anonymous().get("/config/k5?environment=e").status())
                    .isEqualTo(404);
        }
    }
}
