package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class PulsesTest {
    private static final Duration LONG = Duration.ofMillis(2500);

    private static void begin(Vertx vertx, Pulses pulses) {
        vertx.getOrCreateContext().runOnContext(v -> pulses.begin(vertx));
    }

    @Test
    void anEventLoopWhoseReadsEndHasAPulseEvenIfTheyFail(Vertx vertx) {
        AtomicInteger reads = new AtomicInteger();
        Pulses pulses = new Pulses(
                () -> reads.incrementAndGet() % 2 == 0 ? Future.failedFuture("no data") : Future.succeededFuture());
        begin(vertx, pulses);

        await().until(() -> reads.get() >= 4);
        assertThat(pulses.longestPause()).isLessThan(LONG);
    }

    @Test
    void anEventLoopWhoseReadHangsHasNoPulseUntilTheReadEnds(Vertx vertx) {
        Promise<Void> hanging = Promise.promise();
        Pulses pulses = new Pulses(hanging::future);
        begin(vertx, pulses);

        await().until(() -> pulses.longestPause().compareTo(LONG) > 0);
        hanging.complete();
        await().until(() -> pulses.longestPause().compareTo(LONG) < 0);
    }

    @Test
    void anEventLoopThatIsBlockedHasNoPulse(Vertx vertx) {
        CountDownLatch blocked = new CountDownLatch(1);
        Pulses pulses = new Pulses(Future::succeededFuture);
        vertx.getOrCreateContext().runOnContext(v -> {
            pulses.begin(vertx);
            vertx.runOnContext(w -> {
                try {
                    blocked.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        });

        await().until(() -> pulses.longestPause().compareTo(LONG) > 0);
        blocked.countDown();
        await().until(() -> pulses.longestPause().compareTo(LONG) < 0);
    }
}
