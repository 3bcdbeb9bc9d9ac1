package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.access.Actor;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RecentChangesTest {
    private static Change change(long revision, int service, int chars) {
        return new Change(
                new Position(1, revision),
                new UUID(0, revision),
                Action.UPDATED,
                new Resource(
                        "k",
                        "id",
                        "e",
                        "s" + service,
                        "n",
                        1,
                        revision,
                        0,
                        ResourceRow.of("x".repeat(chars)),
                        Sealed.NONE),
                Actor.SYSTEM,
                null,
                null,
                Instant.EPOCH,
                new Change.Hash("h" + revision),
                false,
                null,
                null);
    }

    private static List<Long> revisions(List<Change> changes) {
        return changes.stream().map(Change::revision).toList();
    }

    @Property
    void itReturnsTheSameChangesAsALinearSearch(
            @ForAll @Size(max = 40) List<@IntRange(max = 3) Integer> services,
            @ForAll @IntRange(max = 45) int after,
            @ForAll @IntRange(min = 1, max = 9) int limit) {
        RecentChanges recent = new RecentChanges();
        recent.reset(0, new Change.Hash("h0"));
        for (int i = 0; i < services.size(); i++) {
            recent.add(List.of(change(i + 1, services.get(i), 1)));
        }
        List<Long> expected = LongStream.rangeClosed(after + 1L, services.size())
                .limit(limit)
                .boxed()
                .toList();
        assertThat(revisions(Objects.requireNonNull(recent.after(after, limit))))
                .isEqualTo(expected);
        for (int service = 0; service <= 3; service++) {
            int s = service;
            List<Long> ofUnit = LongStream.rangeClosed(after + 1L, services.size())
                    .filter(r -> services.get((int) r - 1) == s)
                    .boxed()
                    .toList();
            assertThat(revisions(Objects.requireNonNull(recent.ofUnit(new UnitId("k", "e", "s" + service), after))))
                    .isEqualTo(ofUnit);
        }
    }

    @Test
    void itDropsTheOldestChangesBeyondItsLimitInBytesAndReportsIt() {
        RecentChanges recent = new RecentChanges();
        recent.reset(10, new Change.Hash("h10"));
        assertThat(recent.after(9, 5)).as("before the reset").isNull();
        for (int i = 11; i <= 60; i++) {
            recent.add(List.of(change(i, 1, 1 << 20)));
        }
        assertThat(recent.after(10, 100)).isNull();
        assertThat(recent.hashAt(11)).isNull();
        assertThat(recent.ofUnit(new UnitId("k", "e", "s1"), 11)).isNull();
        assertThat(recent.hashAt(60)).isEqualTo(new Change.Hash("h60"));
        assertThat(recent.after(40, 100)).as("a page is limited in bytes").hasSize(1);
        assertThat(recent.after(60, 100)).isEmpty();
    }
}
