package dev.configservice.registry.lease;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseTableTest {
    private static Lease until(long deadline) {
        return new Lease(deadline, 1000, 0, false);
    }

    @Test
    void aLeaseIsOverdueFromItsDeadlineOn() {
        LeaseTable table = new LeaseTable();
        table.put("a", until(1500));
        assertThat(table.overdue(1499)).isEmpty();
        assertThat(table.overdue(1500)).containsExactly("a");
        // it stays overdue until it is renewed or removed
        assertThat(table.overdue(9000)).containsExactly("a");
        table.put("a", until(20_000));
        assertThat(table.overdue(19_999)).isEmpty();
        table.remove("a");
        assertThat(table.overdue(30_000)).isEmpty();
        assertThat(table.keys()).isEmpty();
    }

    @Test
    void aLeaseWithAnEarlierDeadlineIsOverdueAtThatDeadline() {
        LeaseTable table = new LeaseTable();
        table.put("a", until(3_600_000));
        table.put("a", until(5000));
        assertThat(table.overdue(5000)).containsExactly("a");
    }

    @Test
    void leasesThatComeAndGoLeaveNothingBehind() {
        LeaseTable table = new LeaseTable();
        for (int i = 0; i < 100; i++) {
            table.put("stays" + i, until(50_000));
        }
        for (int i = 0; i < 50_000; i++) {
            table.put("brief" + i, until(3_600_000));
            table.put("brief" + i, until(1_800_000 + i));
            table.remove("brief" + i);
            assertThat(table.places()).isLessThan(2000);
        }
        assertThat(table.overdue(50_000)).hasSize(100);
        assertThat(table.overdue(4_000_000)).hasSize(100);
        assertThat(table.places()).isEqualTo(100);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void itFindsTheSameLeasesAsALinearSearch(long seed) {
        Random random = new Random(seed);
        LeaseTable table = new LeaseTable();
        Map<String, Lease> all = new HashMap<>();
        long now = -5000;
        for (int i = 0; i < 20_000; i++) {
            String key = "k" + random.nextInt(200);
            switch (random.nextInt(10)) {
                case 0 -> {
                    table.remove(key);
                    all.remove(key);
                }
                case 1 -> now += random.nextInt(700);
                case 2 -> {
                    long at = now;
                    List<String> overdue = new ArrayList<>();
                    all.forEach((k, l) -> {
                        if (l.deadline() <= at) {
                            overdue.add(k);
                        }
                    });
                    assertThat(table.overdue(now)).containsExactlyInAnyOrderElementsOf(overdue);
                }
                default -> {
                    Lease lease = until(now + random.nextInt(5000) - 500);
                    table.put(key, lease);
                    all.put(key, lease);
                }
            }
        }
        assertThat(table.keys()).isEqualTo(all.keySet());
    }

    @Test
    void aMergedTableHoldsEveryLeaseOnce() {
        LeaseTable ours = new LeaseTable();
        LeaseTable theirs = new LeaseTable();
        ours.put("here", until(1));
        theirs.put("there", until(2));
        ours.put("both", new Lease(3000, 1000, 1, false));
        theirs.put("both", new Lease(10, 1000, 2, true));
        LeaseTable merged = ours.mergedWith(theirs);
        assertThat(merged.keys()).containsExactlyInAnyOrder("here", "there", "both");
        assertThat(merged.get("both")).isEqualTo(theirs.get("both"));
        assertThat(merged.overdue(10)).containsExactlyInAnyOrder("here", "there", "both");
    }
}
