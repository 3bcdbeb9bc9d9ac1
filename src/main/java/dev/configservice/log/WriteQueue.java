package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Commands that wait for the writer, in order. The queue limits their number and their total size, and each command
 * waits no longer than its deadline. Used only on the writer's event loop.
 */
final class WriteQueue {
    private static final int MAX = 20_000;
    private static final long MAX_CHARS = 64L << 20;
    private static final int MAX_BATCH_CHARS = 4 << 20;

    private final Duration deadline;
    private final Deque<Pending> waiting = new ArrayDeque<>();
    private long chars;

    /**
     * Creates an empty queue.
     *
     * @param deadline the longest time that a command may wait for its result
     */
    WriteQueue(Duration deadline) {
        this.deadline = deadline;
    }

    /** A command in the queue or in a running batch, and its state. */
    static final class Pending {
        final Command command;
        final Promise<WriteResult> promise = Promise.promise();
        private final long deadlineNanos;
        private final int chars;
        /** True while the command may have been applied, because it was sent to PostgreSQL. */
        boolean sent;

        private Pending(Command command, long deadlineNanos) {
            this.command = command;
            this.deadlineNanos = deadlineNanos;
            this.chars = command.chars();
        }

        boolean isAnswered() {
            return promise.future().isComplete();
        }

        private void answerIfOverdue(long now) {
            if (now - deadlineNanos < 0 || isAnswered()) {
                return;
            }
            promise.tryFail(
                    sent
                            ? new ServiceException(
                                    ErrorCode.OUTCOME_UNKNOWN,
                                    "The answer of PostgreSQL was lost: the write may have been applied")
                            : ServiceException.unavailable("PostgreSQL is unreachable; nothing was written"));
        }
    }

    int size() {
        return waiting.size();
    }

    /** Adds a command. Returns null if the queue is full. */
    @Nullable
    Pending add(Command command) {
        Pending pending = new Pending(command, System.nanoTime() + deadline.toNanos());
        if (waiting.size() >= MAX || chars + pending.chars > MAX_CHARS) {
            return null;
        }
        waiting.addLast(pending);
        chars += pending.chars;
        return pending;
    }

    /**
     * Takes the next commands, at most one for each resource. A second command for a resource stays in the queue,
     * because its result depends on that of the first.
     */
    List<Pending> take(int limit) {
        List<Pending> batch = new ArrayList<>();
        List<Pending> later = new ArrayList<>();
        Set<String> resources = new HashSet<>();
        int batchChars = 0;
        while (!waiting.isEmpty() && batch.size() < limit && batchChars < MAX_BATCH_CHARS && later.size() < limit) {
            Pending p = waiting.removeFirst();
            chars -= p.chars;
            if (p.isAnswered()) {
                continue;
            }
            if (resources.add(ChangeLog.key(p.command.kind(), p.command.id()))) {
                batch.add(p);
                batchChars += p.chars;
            } else {
                later.add(p);
            }
        }
        putBack(later);
        return batch;
    }

    /** Puts commands back at the front of the queue, in their order. Those that have been answered are dropped. */
    void putBack(List<Pending> batch) {
        for (int i = batch.size() - 1; i >= 0; i--) {
            Pending p = batch.get(i);
            if (!p.isAnswered()) {
                waiting.addFirst(p);
                chars += p.chars;
            }
        }
    }

    /** Fails the commands whose deadline has passed, both the running ones and those in the queue. */
    void answerOverdue(List<Pending> running) {
        long now = System.nanoTime();
        for (Pending p : running) {
            p.answerIfOverdue(now);
        }
        while (!waiting.isEmpty()) {
            Pending first = waiting.getFirst();
            first.answerIfOverdue(now);
            if (!first.isAnswered()) {
                return;
            }
            waiting.removeFirst();
            chars -= first.chars;
        }
    }
}
