package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Heartbeats that race with the expiry of their leases, through two nodes, from before the deadline to after the sweep.
 */
class HeartbeatRaceTest {
    private static final int BEATING = 24;
    private static final int SILENT = 6;
    private static final int ROUNDS = 3;
    private static final int LEASE_MILLIS = 5000;

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    private static String instance(int i) {
        // one service per instance, to spread them over the partitions of both members
        return "{\"service_name\":\"race" + i + "\",\"service_url\":\"http://h" + i + ":1\",\"instance_id\":\"i\"";
    }

    /** Sends a heartbeat through one node. After the response, the instance must be healthy on both nodes. */
    private void beat(TestNode through, TestNode other, int i) {
        Reply beat = through.admin()
                .put(
                        "/registry/health",
                        "{\"service_name\":\"race" + i + "\",\"instance_id\":\"i\",\"status\":\"healthy\"}");
        if (beat.status() != 200 || !beat.field("status").equals("healthy")) {
            wrong.add(i + " heartbeat: " + beat.text());
            return;
        }
        for (TestNode node : List.of(through, other)) {
            Reply read = node.anonymous().get("/registry/race" + i + "?min_revision=" + beat.revision());
            if (!"healthy".equals(read.field("status"))) {
                wrong.add(i + " after its heartbeat: " + read.text());
            }
        }
    }

    @Test
    void instancesWithHeartbeatsStayHealthyAndSilentOnesExpire() throws Exception {
        Random random = new Random(20_261_124);
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(8);
        try (TestNode first = TestNode.start(Map.of("CS_REGISTRY_PROTECTION_THRESHOLD", "1"));
                TestNode second = first.join()) {
            for (int i = 0; i < BEATING + SILENT; i++) {
                assertThat(first.admin()
                                .post("/registry/register", instance(i) + ",\"lease_seconds\":5}")
                                .status())
                        .isEqualTo(200);
            }
            List<ScheduledFuture<?>> beats = new ArrayList<>();
            for (int i = 0; i < BEATING; i++) {
                int n = i;
                long at = 0;
                for (int round = 0; round < ROUNDS; round++) {
                    // from 100 ms before the deadline to 1,300 ms after it: before, during and after the sweep
                    at += LEASE_MILLIS - 100 + random.nextInt(1400);
                    boolean swap = random.nextBoolean();
                    beats.add(timer.schedule(
                            () -> beat(swap ? second : first, swap ? first : second, n), at, TimeUnit.MILLISECONDS));
                }
            }
            for (ScheduledFuture<?> beat : beats) {
                beat.get(60, TimeUnit.SECONDS);
            }
            assertThat(wrong).isEmpty();

            // the race took place: some leases had expired, others had not
            String log = first.anonymous()
                    .get("/changes?resource_type=service&limit=500")
                    .text();
            int expired = log.split("\"event_type\":\"service.expired\"", -1).length - 1;
            assertThat(expired).isBetween(SILENT + 1, SILENT + BEATING * ROUNDS - 1);

            // the last heartbeat keeps an instance healthy for one lease, and no longer
            for (int i = 0; i < BEATING; i++) {
                beat(first, second, i);
            }
            assertThat(wrong).isEmpty();
            for (int i = BEATING; i < BEATING + SILENT; i++) {
                assertThat(second.anonymous().get("/registry/race" + i).field("status"))
                        .isEqualTo("unhealthy");
            }
            await().atMost(Duration.ofMillis(LEASE_MILLIS + 4000)).untilAsserted(() -> {
                for (int i = 0; i < BEATING; i++) {
                    assertThat(second.anonymous().get("/registry/race" + i).field("status"))
                            .isEqualTo("unhealthy");
                }
            });
        } finally {
            timer.shutdownNow();
        }
    }
}
