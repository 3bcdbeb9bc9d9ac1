package dev.configservice.registry.lease;

import static org.assertj.core.api.Assertions.assertThat;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The decisions of the owner of a lease, step by step, on a real Hazelcast member with a clock that the test moves. */
class LeaseStepTest {
    private static final String KEY = LeaseHolder.key("s", "i");
    private static final LeaseClock CLOCK = new LeaseClock();
    private static HazelcastInstance hazelcast;
    private static IMap<Integer, LeaseTable> map;

    @BeforeAll
    static void start() {
        Config config = new Config("lease-steps");
        config.setProperty("hazelcast.logging.type", "slf4j");
        config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        Leases.configure(config, CLOCK);
        hazelcast = Hazelcast.newHazelcastInstance(config);
        map = hazelcast.getMap("lease-tables");
    }

    @AfterAll
    static void stop() {
        hazelcast.shutdown();
    }

    @BeforeEach
    void clear() {
        map.clear();
    }

    private static LeaseResult step(LeaseStep step) {
        return map.executeOnKey(1, new LeaseSteps(List.of(step))).get(0);
    }

    private static LeaseResult beat(boolean decides) {
        return step(new LeaseStep.Beat(KEY, 1000, 0, decides));
    }

    private static LeaseResult expire() {
        return step(new LeaseStep.Expire(KEY));
    }

    private static LeaseResult decided(long generation) {
        return new LeaseResult.Decided(generation);
    }

    @Test
    void anInstanceWithHeartbeatsNeverExpires() {
        beat(false);
        for (int i = 0; i < 20; i++) {
            CLOCK.move(Duration.ofMillis(900));
            assertThat(beat(false)).isEqualTo(LeaseResult.SILENT);
            assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        }
    }

    @Test
    void aSilentInstanceExpiresOnceAndIsRemovedTenLeasesLater() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(1));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofSeconds(9));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofMillis(1_001));
        assertThat(expire()).isEqualTo(new LeaseResult.Removed(2));
    }

    @Test
    void aHeartbeatAfterTheExpiryRevertsIt() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(1));
        assertThat(beat(false)).isEqualTo(decided(2));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
    }

    @Test
    void aLateHeartbeatBeforeTheSweepPreventsTheExpiry() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(beat(false)).isEqualTo(LeaseResult.SILENT);
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
    }

    @Test
    void anExpiryThatCouldNotBeWrittenIsRetried() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(1));
        step(new LeaseStep.Restore(KEY, 1, 0, false));
        assertThat(expire()).isEqualTo(decided(2));
        // not after a heartbeat in between
        beat(false);
        step(new LeaseStep.Restore(KEY, 2, 0, false));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
    }

    @Test
    void aClockThatGoesBackExpiresNothing() {
        beat(false);
        CLOCK.move(Duration.ofHours(-1));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        assertThat(beat(false)).isEqualTo(LeaseResult.SILENT);
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(1));
    }

    @Test
    void aLostLeaseIsRecreatedWithItsFullTime() {
        step(new LeaseStep.Ensure(KEY, 1000, 10_000, 7, false));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(8));
        step(new LeaseStep.Ensure(KEY, 1000, 10_000, 7, false));
        assertThat(Objects.requireNonNull(map.get(1)).get(KEY)).isNotNull().matches(Lease::expired);
    }

    @Test
    void anInstanceMaySayWhenItIsRemovedAfterItsLease() {
        beat(true);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(2));
        step(new LeaseStep.Retire(KEY, 3000, 1));
        CLOCK.move(Duration.ofMillis(3001));
        assertThat(expire()).as("that was for an earlier expiry").isEqualTo(LeaseResult.SILENT);
        step(new LeaseStep.Retire(KEY, 3000, 2));
        CLOCK.move(Duration.ofSeconds(2));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(new LeaseResult.Removed(3));
        // one that came back meanwhile stays
        beat(true);
        step(new LeaseStep.Retire(KEY, 1, 4));
        CLOCK.move(Duration.ofMillis(500));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        // one whose lease the grid had lost
        step(new LeaseStep.Remove(KEY, 100));
        step(new LeaseStep.Ensure(KEY, 1000, 3000, 7, true));
        CLOCK.move(Duration.ofMillis(3001));
        assertThat(expire()).isEqualTo(new LeaseResult.Removed(8));
    }

    @Test
    void aNewOwnerRestartsEveryLeaseWithItsFullTime() {
        beat(false);
        CLOCK.move(Duration.ofMillis(900));
        step(new LeaseStep.Extend(CLOCK.millis()));
        CLOCK.move(Duration.ofMillis(900));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
        CLOCK.move(Duration.ofMillis(101));
        assertThat(expire()).isEqualTo(decided(1));
    }

    /** The deadlines of an owner before, whose clock was ahead, mean nothing to the new owner. */
    @Test
    void aNewOwnerEndsALeaseThatAClockAheadLeft() {
        step(new LeaseStep.Beat(KEY, Duration.ofHours(1).toMillis() + 1000, 0, false));
        step(new LeaseStep.Beat(KEY, 1000, 0, false));
        CLOCK.move(Duration.ofHours(-1));
        step(new LeaseStep.Extend(CLOCK.millis()));
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(1));
        CLOCK.move(Duration.ofHours(1));
    }

    @Test
    void aRemovalLeavesTheLeaseOfALaterRegistration() {
        step(new LeaseStep.Beat(KEY, 1000, 7, false));
        step(new LeaseStep.Remove(KEY, 6));
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(decided(8));
        step(new LeaseStep.Remove(KEY, 8));
        assertThat(expire()).isEqualTo(LeaseResult.SILENT);
    }

    @Test
    void afterASplitTheLaterDecisionWinsAndThenTheLaterDeadline() {
        Lease decided = new Lease(100, 50, 3, true);
        Lease renewed = new Lease(200, 50, 2, false);
        Lease later = new Lease(300, 50, 2, false);
        assertThat(decided.holdsAgainst(renewed)).isTrue();
        assertThat(renewed.holdsAgainst(decided)).isFalse();
        assertThat(renewed.holdsAgainst(later)).isFalse();
        assertThat(later.holdsAgainst(renewed)).isTrue();
    }
}
