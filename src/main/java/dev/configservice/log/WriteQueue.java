package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.opentelemetry.api.trace.Span;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commands that wait for the writer, as a chain for each resource. A batch takes one command from each chain in turn, so
 * that many writers of one resource do not hold up the writers of others. A change set waits in the chains of all its
 * resources until it is the first of each, and is then a batch by itself. The queue limits the number of commands and
 * their total size, and each command waits no longer than its deadline. Used only on the writer's event loop.
 */
final class WriteQueue {
    private static final Logger log = LoggerFactory.getLogger(WriteQueue.class);

    private static final int MAX = 20_000;
    private static final long MAX_CHARS = 64L << 20;
    private static final int MAX_BATCH_CHARS = 4 << 20;

    private final Duration deadline;
    /** The chains by resource. The first is the one whose turn it is. */
    private final LinkedHashMap<String, Deque<Entry>> chains = new LinkedHashMap<>();

    private int size;
    private int sets;
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

        /** The set that the command is a part of; null if it is alone. */
        final @Nullable PendingSet set;
        /** The resource before the command, once it is decided; null if there was none. */
        @Nullable
        Resource before;

        /** The warnings of the last check of the command. */
        List<String> warnings = List.of();

        private final long deadlineNanos;
        /** True while the command may have been applied, because it was sent to PostgreSQL. */
        boolean sent;

        private Pending(Command command, @Nullable PendingSet set, long deadlineNanos) {
            this.command = command;
            this.set = set;
            this.deadlineNanos = deadlineNanos;
        }

        /** Tells whether its caller has got an answer. That of a set has one as soon as one of its commands was refused. */
        boolean isAnswered() {
            return promise.future().isComplete()
                    || (set != null && set.promise.future().isComplete());
        }

        /** Refuses the command. A set fails later, with all of its commands that are refused. */
        void refuse(ServiceException e) {
            if (set == null) {
                promise.tryFail(e);
            } else {
                set.refused.put(set.members.indexOf(this), e);
            }
        }

        /** Refuses the command because of an error of the service. */
        void failed(Throwable e) {
            log.error("writer.decision-failed kind={} id={}", command.kind(), command.id(), e);
            refuse(new ServiceException(ErrorCode.INTERNAL, "The write could not be processed"));
        }

        private boolean isOverdue(long now) {
            return now - deadlineNanos >= 0;
        }

        private void answerIfOverdue(long now) {
            if (!isOverdue(now) || isAnswered()) {
                return;
            }
            promise.tryFail(
                    sent
                            ? new ServiceException(
                                    ErrorCode.OUTCOME_UNKNOWN,
                                    "PostgreSQL did not answer in time: the write may have been applied")
                            : ServiceException.unavailable(
                                    "Other writes took too long, or PostgreSQL does not answer; nothing was written"));
        }
    }

    /** A change set in the queue or in a running batch. */
    static final class PendingSet {
        final Command.Set set;
        final List<Pending> members;
        final Promise<WriteResult.OfSet> promise = Promise.promise();
        private final SortedMap<Integer, ServiceException> refused = new TreeMap<>();
        /** The results of commands that have nothing to change, as long as the others are written after this decision. */
        private final Map<Pending, WriteResult> kept = new HashMap<>();

        private PendingSet(Command.Set set, long deadlineNanos) {
            this.set = set;
            this.members = set.members().stream()
                    .map(command -> new Pending(command, this, deadlineNanos))
                    .toList();
            for (Pending member : members) {
                member.promise.future().onFailure(promise::tryFail);
            }
            Future.all(members.stream().map(m -> m.promise.future()).toList()).onSuccess(all -> {
                List<WriteResult> results = all.list();
                long first = results.stream()
                        .filter(r -> !r.resource().equals(r.before()))
                        .mapToLong(WriteResult::revision)
                        .min()
                        .orElse(0);
                promise.tryComplete(new WriteResult.OfSet(first, results, false));
            });
        }

        /** Begins a new decision on all commands. */
        void decideAnew() {
            refused.clear();
            kept.clear();
        }

        /** Notes the result of a command that has nothing to change. It holds only if the others are written. */
        void keep(Pending member, WriteResult result) {
            kept.put(member, result);
        }

        /** Answers the commands that have nothing to change, now that the others are written. */
        void answerKept() {
            kept.forEach((member, result) -> member.promise.tryComplete(result));
        }

        /** Fails with all that was refused. Returns whether anything was. */
        boolean failIfRefused() {
            if (refused.isEmpty()) {
                return false;
            }
            promise.tryFail(ServiceException.ofOperations(refused));
            return true;
        }
    }

    /** The commands that are taken, decided and put back together: those of a set, or a single one. */
    private record Entry(List<Pending> commands, List<String> chains, int chars) {
        static Entry of(List<Pending> commands) {
            return new Entry(
                    commands,
                    commands.stream()
                            .map(p -> ChangeLog.key(p.command.kind(), p.command.id()))
                            .distinct()
                            .toList(),
                    commands.stream().mapToInt(p -> p.command.chars()).sum());
        }

        boolean isSet() {
            return commands.get(0).set != null;
        }

        boolean isAnswered() {
            return commands.get(0).isAnswered();
        }
    }

    int size() {
        return size;
    }

    /** Adds a command. Returns null if the queue is full. */
    @Nullable
    Pending add(Command command) {
        Pending pending = new Pending(command, null, System.nanoTime() + deadline.toNanos());
        return addLast(Entry.of(List.of(pending))) ? pending : null;
    }

    /** Adds a change set, which has at least one command. Returns null if the queue is full. */
    @Nullable
    PendingSet add(Command.Set set) {
        PendingSet pending = new PendingSet(set, System.nanoTime() + deadline.toNanos());
        return addLast(Entry.of(pending.members)) ? pending : null;
    }

    private boolean addLast(Entry entry) {
        if (size >= MAX || chars + entry.chars > MAX_CHARS) {
            return false;
        }
        entry.chains.forEach(c -> chain(c).addLast(entry));
        count(entry, 1);
        return true;
    }

    private void count(Entry entry, int times) {
        size += times * entry.commands.size();
        sets += entry.isSet() ? times : 0;
        chars += (long) times * entry.chars;
    }

    private Deque<Entry> chain(String resource) {
        return chains.computeIfAbsent(resource, k -> new ArrayDeque<>(2));
    }

    /**
     * Takes the next commands, at most one for each resource, because the result of a second one depends on that of the
     * first; or the commands of one change set. The chains that were taken from come last in the next batch.
     */
    List<Pending> take(int limit) {
        List<Pending> batch = new ArrayList<>();
        int batchChars = 0;
        // a set that waits for others may stand before them, so all are looked at while there is one
        List<String> turns = chains.keySet().stream()
                .limit(sets > 0 ? Long.MAX_VALUE : limit)
                .toList();
        for (String resource : turns) {
            if (batch.size() >= limit || batchChars >= MAX_BATCH_CHARS) {
                break;
            }
            Entry next = first(resource);
            if (next == null || (next.isSet() && !(batch.isEmpty() && isFirstOfAll(next)))) {
                continue;
            }
            remove(next);
            batch.addAll(next.commands);
            batchChars += next.chars;
            if (next.isSet()) {
                break;
            }
        }
        return batch;
    }

    /** Returns the first of a chain that nobody has answered yet; null if there is none. */
    private @Nullable Entry first(String resource) {
        Deque<Entry> chain = chains.get(resource);
        while (chain != null && !chain.isEmpty() && chain.getFirst().isAnswered()) {
            remove(chain.getFirst());
            chain = chains.get(resource);
        }
        return chain == null ? null : chain.peekFirst();
    }

    private boolean isFirstOfAll(Entry set) {
        return set.chains.stream().allMatch(resource -> set.equals(first(resource)));
    }

    /** Removes an entry from its chains, and puts what is left of them last. */
    private void remove(Entry entry) {
        for (String resource : entry.chains) {
            Deque<Entry> chain = chains.remove(resource);
            if (chain != null) {
                chain.remove(entry);
                if (!chain.isEmpty()) {
                    chains.put(resource, chain);
                }
            }
        }
        count(entry, -1);
    }

    /**
     * Puts commands back at the front of their chains, in their order; those of a set together. Those that have been answered
     * are dropped.
     */
    void putBack(List<Pending> batch) {
        PendingSet set = batch.isEmpty() ? null : batch.get(0).set;
        if (set != null) {
            putFirst(set.members);
            return;
        }
        for (int i = batch.size() - 1; i >= 0; i--) {
            putFirst(List.of(batch.get(i)));
        }
    }

    private void putFirst(List<Pending> commands) {
        Entry entry = Entry.of(commands);
        if (!entry.isAnswered()) {
            entry.chains.forEach(c -> chain(c).addFirst(entry));
            count(entry, 1);
        }
    }

    /** Fails the commands whose deadline has passed, both the running ones and those in the queue. */
    void answerOverdue(List<Pending> running) {
        long now = System.nanoTime();
        for (Pending p : running) {
            p.answerIfOverdue(now);
        }
        // the first of a chain is the oldest one
        for (String resource : List.copyOf(chains.keySet())) {
            for (Entry entry = first(resource); entry != null; entry = first(resource)) {
                // the commands of a set have one deadline
                if (!entry.commands.get(0).isOverdue(now)) {
                    break;
                }
                entry.commands.forEach(p -> p.answerIfOverdue(now));
            }
        }
    }
}
