package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LogClockTest {
    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private Instant own = NOON;
    private final LogClock clock = new LogClock(() -> own);

    @Test
    void itIsTheOwnClockInWholeMilliseconds() {
        own = NOON.plusNanos(1_234_567);

        assertThat(clock.now()).isEqualTo(NOON.plusMillis(1));
    }

    @Test
    void itNeverGoesBehindTheLastChange() {
        clock.occurred(NOON.plusSeconds(5));
        clock.occurred(NOON.plusSeconds(3));
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(5));

        own = NOON.minus(Duration.ofHours(2));
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(5));

        own = NOON.plusSeconds(6);
        assertThat(clock.now()).isEqualTo(own);
    }

    @Test
    void aClockThatIsAheadFollowsTheDatabaseUntilItIsSetRight() {
        own = NOON.plus(Duration.ofHours(2));
        clock.setBackTo(NOON);
        assertThat(clock.now()).isEqualTo(NOON);
        clock.occurred(NOON);

        own = own.plusSeconds(1);
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(1));
        clock.occurred(NOON.plusSeconds(1));

        // set right: it must not stand still for two hours
        own = NOON.plusSeconds(2);
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(2));
        own = NOON.plusSeconds(3);
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(3));
    }
}
