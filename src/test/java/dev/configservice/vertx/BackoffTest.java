package dev.configservice.vertx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Property
    void pausesDoubleUpToTheMaximumWithJitter(
            @ForAll @IntRange(min = 1, max = 1000) int first,
            @ForAll @IntRange(min = 1, max = 1000) int times,
            @ForAll long seed) {
        Random random = new Random(seed);
        Backoff backoff = new Backoff(Duration.ofMillis(first), Duration.ofMillis((long) first * times), () -> random);
        for (int i = 0; i < 80; i++) {
            long base = Math.min((long) first * times, i < 30 ? (long) first << i : Long.MAX_VALUE);
            assertThat(backoff.nextMillis()).isBetween(Math.max(1, base / 2), Math.max(1, base / 2 + base));
            assertThat(backoff.failures()).isEqualTo(i + 1);
        }
        backoff.reset();
        assertThat(backoff.nextMillis()).isLessThanOrEqualTo(Math.max(1, first / 2L + first));
    }

    @Test
    void aFirstPauseOfNothingIsRefused() {
        assertThatThrownBy(() -> new Backoff(Duration.ZERO, Duration.ofMillis(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
