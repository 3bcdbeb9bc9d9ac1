package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.secret.Sealed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class WriteQueueTest {
    private static Command command(int resource, int number, int chars) {
        return new Command.Update(
                new UUID(resource, number),
                "k",
                "id" + resource,
                "x".repeat(chars),
                Sealed.NONE,
                null,
                Action.UPDATED,
                null,
                Origin.SYSTEM);
    }

    /**
     * Checks that every command leaves the queue once. The commands of a resource keep their order and never share a
     * batch.
     */
    @Property
    void batchesHoldEachResourceOnceAndKeepItsOrder(
            @ForAll @Size(max = 60) List<@IntRange(max = 5) Integer> resources,
            @ForAll @IntRange(min = 1, max = 9) int limit) {
        WriteQueue queue = new WriteQueue(Duration.ofMinutes(1));
        for (int i = 0; i < resources.size(); i++) {
            assertThat(queue.add(command(resources.get(i), i, 1))).isNotNull();
        }
        List<UUID> taken = new ArrayList<>();
        while (queue.size() > 0) {
            List<WriteQueue.Pending> batch = queue.take(limit);
            assertThat(batch).isNotEmpty().hasSizeLessThanOrEqualTo(limit);
            HashSet<String> ids = new HashSet<>();
            batch.forEach(p -> assertThat(ids.add(p.command.id())).isTrue());
            batch.forEach(p -> taken.add(p.command.eventId()));
        }
        assertThat(taken).hasSize(resources.size()).doesNotHaveDuplicates();
        for (int resource = 0; resource <= 5; resource++) {
            int r = resource;
            assertThat(taken.stream()
                            .filter(id -> id.getMostSignificantBits() == r)
                            .map(UUID::getLeastSignificantBits))
                    .isSorted();
        }
    }

    /**
     * Checks sets among single commands: a set is a batch by itself, no resource's commands overtake each other, and nothing
     * waits for ever.
     */
    @Property
    void setsAreBatchesByThemselvesAndKeepTheOrderOfEveryResource(
            @ForAll @Size(max = 40) List<@Size(min = 1, max = 4) List<@IntRange(max = 6) Integer>> writes,
            @ForAll @IntRange(min = 1, max = 5) int limit,
            @ForAll @IntRange(max = 3) int putBackEvery) {
        WriteQueue queue = new WriteQueue(Duration.ofMinutes(1));
        int commands = 0;
        for (int i = 0; i < writes.size(); i++) {
            List<Integer> resources = writes.get(i).stream().distinct().toList();
            int number = i;
            commands += resources.size();
            if (resources.size() == 1) {
                assertThat(queue.add(command(resources.get(0), number, 1))).isNotNull();
            } else {
                List<Command> members =
                        resources.stream().map(r -> command(r, number, 1)).toList();
                assertThat(queue.add(new Command.Set(new UUID(0, i), members, false)))
                        .isNotNull();
            }
        }
        List<UUID> taken = new ArrayList<>();
        for (int turn = 1; queue.size() > 0; turn++) {
            List<WriteQueue.Pending> batch = queue.take(limit);
            assertThat(batch).isNotEmpty();
            WriteQueue.PendingSet set = batch.get(0).set;
            if (set == null) {
                assertThat(batch).allMatch(p -> p.set == null).hasSizeLessThanOrEqualTo(limit);
            } else {
                assertThat(batch).isEqualTo(set.members);
            }
            if (putBackEvery > 0 && turn % (putBackEvery + 1) == 0 && turn < 500) {
                queue.putBack(batch);
            } else {
                batch.forEach(p -> taken.add(p.command.eventId()));
            }
        }
        assertThat(taken).hasSize(commands).doesNotHaveDuplicates();
        for (int resource = 0; resource <= 6; resource++) {
            int r = resource;
            assertThat(taken.stream()
                            .filter(id -> id.getMostSignificantBits() == r)
                            .map(UUID::getLeastSignificantBits))
                    .isSorted();
        }
    }

    @Test
    void theQueueIsLimitedInBytes() {
        WriteQueue queue = new WriteQueue(Duration.ofMinutes(1));
        int added = 0;
        while (queue.add(command(added, 0, 1 << 20)) != null) {
            added++;
        }
        assertThat(added).isBetween(50, 64);
        assertThat(queue.take(128)).hasSizeLessThan(8);
        assertThat(queue.add(command(0, 1, 1 << 20))).isNotNull();
    }

    @Test
    void overdueCommandsFailAccordingToTheirState() {
        WriteQueue queue = new WriteQueue(Duration.ZERO);
        WriteQueue.Pending waiting = Objects.requireNonNull(queue.add(command(1, 1, 1)));
        WriteQueue.Pending sent = Objects.requireNonNull(queue.add(command(2, 2, 1)));
        queue.take(10);
        sent.sent = true;
        queue.putBack(List.of(waiting));

        queue.answerOverdue(List.of(sent));

        assertThat(code(waiting)).isEqualTo(ErrorCode.UNAVAILABLE);
        assertThat(code(sent)).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
        assertThat(queue.size()).isZero();
    }

    @Test
    void manyWritersOfOneResourceDoNotHoldUpOthers() {
        WriteQueue queue = new WriteQueue(Duration.ofMinutes(1));
        for (int i = 0; i < 300; i++) {
            assertThat(queue.add(command(0, i, 1))).isNotNull();
        }
        for (int resource = 1; resource <= 8; resource++) {
            assertThat(queue.add(command(resource, 0, 1))).isNotNull();
        }
        // one of the crowd, and all the others
        assertThat(queue.take(128)).hasSize(9);
        assertThat(queue.add(command(9, 0, 1))).isNotNull();
        // with room for one, the turn is not that of the crowd twice
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            order.add((int) queue.take(1).get(0).command.eventId().getMostSignificantBits());
        }
        assertThat(order).containsExactly(0, 9, 0, 0);
    }

    private static ErrorCode code(WriteQueue.Pending pending) {
        return ((ServiceException) pending.promise.future().cause()).code();
    }
}
