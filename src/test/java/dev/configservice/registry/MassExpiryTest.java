package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.registry.MassExpiry.Decision;
import dev.configservice.registry.MassExpiry.Fleet;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MassExpiryTest {
    private static final Duration LEASE = Duration.ofSeconds(10);

    private final MassExpiry expiry = new MassExpiry(0.3, 2);

    private static Fleet fleet(int live, int going) {
        return new Fleet(live, going, LEASE);
    }

    @Test
    void aFewExpiriesAreAllowed() {
        assertThat(expiry.decide(0, fleet(100, 30))).isEqualTo(new Decision(Integer.MAX_VALUE, null));
        assertThat(expiry.decide(0, fleet(9, 9)).heldBack())
                .as("a small number is never held back")
                .isNull();
        assertThat(expiry.decide(0, fleet(100, 0)).heldBack()).isNull();
    }

    @Test
    void aMassExpiryIsHeldBackAndThenLimitedToTheThreshold() {
        assertThat(expiry.decide(0, fleet(100, 31)).mayEnd()).isZero();
        assertThat(expiry.decide(0, fleet(100, 31)).heldBack()).contains("31 of 100", "0.3");
        assertThat(expiry.decide(19_999, fleet(100, 60)).mayEnd()).isZero();
        Decision late = expiry.decide(20_000, fleet(100, 60));
        assertThat(late.mayEnd()).isEqualTo(30);
        assertThat(late.heldBack()).isNotNull();
        for (int i = 0; i < 30; i++) {
            expiry.ended(20_000);
        }
        assertThat(expiry.decide(20_001, fleet(70, 30)).mayEnd())
                .as("within the same lease")
                .isZero();
        assertThat(expiry.decide(30_001, fleet(70, 30)).mayEnd())
                .as("one lease later")
                .isPositive();
    }

    @Test
    void recentExpiriesCountTowardsTheThreshold() {
        for (int i = 0; i < 25; i++) {
            expiry.ended(0);
        }
        assertThat(expiry.decide(1, fleet(75, 10)).mayEnd()).isZero();
        assertThat(expiry.decide(10_001, fleet(75, 10)).mayEnd()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void holdingBackStartsOverAfterASweepWithNothingOverdue() {
        assertThat(expiry.decide(0, fleet(100, 50)).mayEnd()).isZero();
        expiry.nothingOverdue();
        assertThat(expiry.decide(30_000, fleet(100, 50)).mayEnd()).isZero();
        assertThat(expiry.decide(50_000, fleet(100, 50)).mayEnd()).isPositive();
    }

    /**
     * Checks, for any timing of sweeps, that the threshold (or one instance) limits the expiries within one lease, and
     * that all instances expire in the end.
     */
    @Property
    void theRateIsLimitedAndEverythingExpiresInTheEnd(
            @ForAll @IntRange(min = 10, max = 200) int instances, @ForAll @IntRange(min = 50, max = 3000) int step) {
        MassExpiry all = new MassExpiry(0.3, 1);
        int left = instances;
        long now = 0;
        java.util.ArrayDeque<Long> ends = new java.util.ArrayDeque<>();
        while (left > 0 && now < 10_000_000) {
            Decision decision = all.decide(now, fleet(left, left));
            int ending = Math.min(left, decision.mayEnd());
            for (int i = 0; i < ending; i++) {
                all.ended(now);
                ends.add(now);
            }
            if (decision.heldBack() != null) {
                long from = now - LEASE.toMillis();
                long within = ends.stream().filter(e -> e >= from).count();
                assertThat(within).isLessThanOrEqualTo(Math.max(1, (long) ((left + within) * 0.3) + 3));
            }
            left -= ending;
            now += step;
        }
        assertThat(left).isZero();
    }

    @Test
    void theMembersTogetherLetNoMoreExpireThanOneAlone() {
        for (int members = 1; members <= 5; members++) {
            Set<UUID> all = Stream.generate(UUID::randomUUID).limit(members).collect(Collectors.toSet());
            for (int mayEnd : new int[] {0, 1, 2, 3, 7, 100}) {
                assertThat(all.stream()
                                .mapToInt(m -> MassExpiry.share(mayEnd, all, m))
                                .sum())
                        .isEqualTo(mayEnd);
            }
        }
    }
}
