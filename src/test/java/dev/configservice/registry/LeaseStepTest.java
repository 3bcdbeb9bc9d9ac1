package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import dev.configservice.registry.LeaseStep.What;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the owner of a lease decides, step by step, on a real member whose time the test moves. */
class LeaseStepTest {
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

    private static long step(What what, long millis, long generation, boolean tell) {
        return map.executeOnKey(1, new LeaseSteps(List.of(new LeaseStep("i@s", what, millis, generation, tell))))[0];
    }

    private static long beat(boolean tell) {
        return step(What.BEAT, 1000, 0, tell);
    }

    private static long expire() {
        return step(What.EXPIRE, 0, 0, false);
    }

    @Test
    void aBeatingInstanceIsNeverToldToExpire() {
        beat(false);
        for (int i = 0; i < 20; i++) {
            CLOCK.move(Duration.ofMillis(900));
            assertThat(beat(false)).isZero();
            assertThat(expire()).isZero();
        }
    }

    @Test
    void aSilentOneExpiresOnceAndIsRemovedTenLeasesLater() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(1);
        assertThat(expire()).isZero();
        CLOCK.move(Duration.ofSeconds(9));
        assertThat(expire()).isZero();
        CLOCK.move(Duration.ofMillis(1_001));
        assertThat(expire()).isEqualTo(-2);
    }

    @Test
    void aHeartbeatAfterTheEndHasTheLastWord() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        long end = expire();
        long back = beat(false);
        assertThat(back).isGreaterThan(end);
        assertThat(expire()).isZero();
    }

    @Test
    void aHeartbeatBeforeTheLookLeavesNothingToEnd() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(beat(false)).isZero();
        assertThat(expire()).isZero();
    }

    @Test
    void anEndThatCouldNotBeWrittenComesAgain() {
        beat(false);
        CLOCK.move(Duration.ofMillis(1001));
        long end = expire();
        step(What.UNEXPIRE, 0, end, false);
        assertThat(expire()).isEqualTo(end + 1);
        // but not where a heartbeat came between
        beat(false);
        step(What.UNEXPIRE, 0, end + 1, false);
        assertThat(expire()).isZero();
    }

    @Test
    void timeThatGoesBackExpiresNothing() {
        beat(false);
        CLOCK.move(Duration.ofHours(-1));
        assertThat(expire()).isZero();
        assertThat(beat(false)).isZero();
        assertThat(expire()).isZero();
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(1);
    }

    @Test
    void aLeaseThatWasLostIsMadeAgainWithItsWholeTime() {
        step(What.ENSURE, 1000, 7, false);
        assertThat(expire()).isZero();
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(expire()).isEqualTo(8);
        step(What.ENSURE, 1000, 7, false);
        assertThat(Objects.requireNonNull(map.get(1)).get("i@s")).isNotNull().matches(Lease::expired);
    }

    @Test
    void aNewOwnerGivesEachItsWholeTime() {
        beat(false);
        CLOCK.move(Duration.ofMillis(900));
        map.executeOnKey(
                1, new LeaseSteps(List.of(new LeaseStep(LeaseStep.ALL, What.EXTEND, CLOCK.millis(), 0, false))));
        CLOCK.move(Duration.ofMillis(900));
        assertThat(expire()).isZero();
        CLOCK.move(Duration.ofMillis(101));
        assertThat(expire()).isPositive();
    }

    @Test
    void aCheckDecidesWithoutRenewing() {
        beat(false);
        assertThat(step(What.JUDGE, 0, 4, false)).isEqualTo(5);
        assertThat(beat(true)).isEqualTo(6);
        CLOCK.move(Duration.ofMillis(1001));
        assertThat(step(What.JUDGE, 0, 0, false)).isEqualTo(7);
        assertThat(expire()).isEqualTo(8);
        // of a lease that has ended it says nothing
        assertThat(step(What.JUDGE, 0, 0, false)).isZero();
    }

    @Test
    void ofTwoHalvesTheLaterDecisionHoldsAndThenTheLaterEnd() {
        Lease decided = new Lease(100, 50, 3, true);
        Lease renewed = new Lease(200, 50, 2, false);
        Lease later = new Lease(300, 50, 2, false);
        assertThat(decided.holdsAgainst(renewed)).isTrue();
        assertThat(renewed.holdsAgainst(decided)).isFalse();
        assertThat(renewed.holdsAgainst(later)).isFalse();
        assertThat(later.holdsAgainst(renewed)).isTrue();
    }
}
