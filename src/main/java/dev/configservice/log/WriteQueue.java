package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.opentelemetry.api.trace.Span;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Commands that wait for the writer, as a chain for each resource. A batch takes one command from each chain in turn, so
 * that many writers of one resource do not hold up the writers of others. The queue limits the number of commands and
 * their total size, and each command waits no longer than its deadline. Used only on the writer's event loop.
 */
final class WriteQueue {
    private static final int MAX = 20_000;
    private static final long MAX_CHARS = 64L << 20;
    private static final int MAX_BATCH_CHARS = 4 << 20;

    private final Duration deadline;
    /** The chains by resource. The first is the one whose turn it is. */
    private final LinkedHashMap<String, Deque<Pending>> chains = new LinkedHashMap<>();

    private int size;
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
        /** The span of the request, which is told what becomes of the command. */
        final Span span = Span.current();

        private final long deadlineNanos;
        private final int chars;
        private final String chain;
        /** True while the command may have been applied, because it was sent to PostgreSQL. */
        boolean sent;

        private Pending(Command command, long deadlineNanos) {
            this.command = command;
            this.deadlineNanos = deadlineNanos;
            this.chars = command.chars();
            this.chain = ChangeLog.key(command.kind(), command.id());
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
        return size;
    }

    /** Adds a command. Returns null if the queue is full. */
    @Nullable
    Pending add(Command command) {
        Pending pending = new Pending(command, System.nanoTime() + deadline.toNanos());
        if (size >= MAX || chars + pending.chars > MAX_CHARS) {
            return null;
        }
        chain(pending).addLast(pending);
        size++;
        chars += pending.chars;
        return pending;
    }

    private Deque<Pending> chain(Pending pending) {
        return chains.computeIfAbsent(pending.chain, k -> new ArrayDeque<>(2));
    }

    /**
     * Takes the next commands, at most one for each resource, because the result of a second one depends on that of the
     * first. The chains that were taken from come last in the next batch.
     */
    List<Pending> take(int limit) {
        List<Pending> batch = new ArrayList<>();
        Map<String, Deque<Pending>> later = new LinkedHashMap<>();
        int batchChars = 0;
        Iterator<Map.Entry<String, Deque<Pending>>> turns = chains.entrySet().iterator();
        while (turns.hasNext() && batch.size() < limit && batchChars < MAX_BATCH_CHARS) {
            Map.Entry<String, Deque<Pending>> turn = turns.next();
            Pending next = takeFirst(turn.getValue());
            turns.remove();
            if (next != null) {
                batch.add(next);
                batchChars += next.chars;
            }
            if (!turn.getValue().isEmpty()) {
                later.put(turn.getKey(), turn.getValue());
            }
        }
        chains.putAll(later);
        return batch;
    }

    /** Takes the first command of a chain that nobody has answered yet; null if there is none. */
    private @Nullable Pending takeFirst(Deque<Pending> chain) {
        while (!chain.isEmpty()) {
            Pending first = chain.removeFirst();
            size--;
            chars -= first.chars;
            if (!first.isAnswered()) {
                return first;
            }
        }
        return null;
    }

    /** Puts commands back at the front of their chains, in their order. Those that have been answered are dropped. */
    void putBack(List<Pending> batch) {
        for (int i = batch.size() - 1; i >= 0; i--) {
            Pending p = batch.get(i);
            if (!p.isAnswered()) {
                chain(p).addFirst(p);
                size++;
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
        // the first command of a chain is the oldest one
        for (Deque<Pending> chain : chains.values()) {
            for (Pending p = chain.peekFirst(); p != null; p = chain.peekFirst()) {
                p.answerIfOverdue(now);
                if (!p.isAnswered()) {
                    break;
                }
                chain.removeFirst();
                size--;
                chars -= p.chars;
            }
        }
        chains.values().removeIf(Deque::isEmpty);
    }
}
