package dev.configservice.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.log.SetMember;
import dev.configservice.log.WriteResult;
import dev.configservice.resource.PathWrites.By;
import dev.configservice.resource.PathWrites.Judged;
import dev.configservice.resource.PathWrites.Path;
import dev.configservice.snapshot.Resources;
import dev.configservice.vertx.Backoff;
import dev.configservice.vertx.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Change sets: operations on several resources that are all done, or none of them. This node judges them by what it has
 * applied, the writer again by what is there; if something else is there by then, all of them are judged again.
 */
public final class ChangeSets {
    /** The size of stored resources, in characters, from which only few sets are made at a time. */
    private static final long LARGE_CHARS = 1 << 20;

    private static final int LARGE_AT_ONCE = 2;
    private static final int MAX_WAITING = 200;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** The number of units that are read at once: each is in memory as a whole meanwhile. */
    private static final int READ_AT_ONCE = 8;

    private final Vertx vertx;
    private final Resources resources;
    private final PathWrites writes;
    private final ChangeBus bus;
    private final Ids ids;
    private final Turns large;

    public ChangeSets(
            Vertx vertx, Resources resources, PathWrites writes, ChangeBus bus, Ids ids, MeterRegistry meters) {
        this.vertx = vertx;
        this.resources = resources;
        this.writes = writes;
        this.bus = bus;
        this.ids = ids;
        this.large = new Turns(
                        vertx, LARGE_AT_ONCE, MAX_WAITING, PATIENCE, "This node is at its limit for large change sets")
                .measured("change-sets", meters);
    }

    /** One operation of a set. */
    public sealed interface Operation {
        Path path();

        /** Creates the resource, or changes the fields that are given. */
        record Put(Path path, ObjectNode fields, Precondition precondition) implements Operation {}

        /** Deletes the resource, which must be there. */
        record Delete(Path path, Precondition precondition) implements Operation {}

        /**
         * Brings a resource to an earlier state.
         *
         * @param earlier the state; null for the one in which it did not exist
         * @param expected the revision that it must have now; null if it must not exist
         */
        record Restore(
                Path path,
                @Nullable Resource earlier,
                @Nullable Long expected) implements Operation {}
    }

    /**
     * The outcome of a set.
     *
     * @param id the id of the set; null if nothing was written
     * @param warnings the warnings for each operation
     */
    public record Outcome(@Nullable UUID id, WriteResult.OfSet result, List<List<String>> warnings) {}

    /**
     * Does operations, at least one, of which no two have the same path.
     *
     * @param isDry whether nothing is written, and the outcome says what would be
     */
    public Future<Outcome> write(List<? extends Operation> operations, boolean isDry, By by) {
        UUID id = ids.next();
        return current(operations, LARGE_CHARS)
                .compose(
                        found -> attempt(operations, id, isDry, by, PathWrites.backoff(), 0),
                        e -> isTooMuch(e)
                                ? large.take(() -> attempt(operations, id, isDry, by, PathWrites.backoff(), 0))
                                : Future.failedFuture(e));
    }

    private static boolean isTooMuch(Throwable e) {
        return e instanceof ServiceException s && s.code() == ErrorCode.TOO_MANY_CHANGES;
    }

    private Future<Outcome> attempt(
            List<? extends Operation> operations, UUID id, boolean isDry, By by, Backoff pauses, int tries) {
        long since = resources.applied();
        Future<List<Judged>> fitting = current(operations, SetMember.MAX_STORED_CHARS)
                .map(found -> judge(operations, found, by))
                .compose(all -> checked(operations, all, by));
        return fitting.transform(done -> {
            if (done.failed()) {
                return tries == 0 && mayBeOutdated(done.cause())
                        ? resources.awaitLatest().compose(v -> attempt(operations, id, isDry, by, pauses, 1))
                        : Future.failedFuture(done.cause());
            }
            List<Judged> judged = done.result();
            List<Command> commands = judged.stream().map(Judged::command).toList();
            return bus.write(new Command.Set(id, commands, isDry))
                    .compose(result ->
                            isDry ? Future.succeededFuture(result) : upheld(operations, judged, by, since, result))
                    .map(result -> outcome(id, isDry, result, judged))
                    .recover(e -> {
                        if (!hasMoved(e)) {
                            return Future.failedFuture(e);
                        }
                        return tries + 1 < PathWrites.TRIES
                                ? vertx.timer(pauses.nextMillis(), TimeUnit.MILLISECONDS)
                                        .compose(t -> resources.awaitLatest())
                                        .compose(v -> attempt(operations, id, isDry, by, pauses, tries + 1))
                                : Future.failedFuture(ServiceException.unavailable(
                                        "Others create and delete the same all the time; nothing was written"));
                    });
        });
    }

    /** Completes with the result of a set, unless what was written meanwhile does not permit it: then all of it is taken back. */
    private Future<WriteResult.OfSet> upheld(
            List<? extends Operation> operations, List<Judged> judged, By by, long since, WriteResult.OfSet result) {
        List<WriteResult> members = result.members();
        Future<@Nullable ServiceException> conflict = Future.succeededFuture(null);
        for (int i = 0; i < members.size(); i++) {
            int index = i;
            Path path = operations.get(i).path();
            conflict = conflict.compose(failure -> failure != null
                    ? Future.succeededFuture(failure)
                    : PathWrites.conflict(path.kind(), path.name(), judged.get(index), by, since, members.get(index)));
        }
        return conflict.compose(failure -> {
            if (failure == null) {
                return Future.succeededFuture(result);
            }
            List<Command> undone = members.stream()
                    .filter(member -> !member.resource().equals(member.before()))
                    .map(member -> writes.takingBack(member, by))
                    .toList();
            return bus.write(new Command.Set(ids.next(), undone, false))
                    .transform(done -> Future.failedFuture(failure));
        });
    }

    /** Tells whether a node that lags behind may have refused what the log permits. */
    private static boolean mayBeOutdated(Throwable e) {
        return e instanceof ServiceException s
                && (s.code() == ErrorCode.CONFLICT || s.code() == ErrorCode.PRECONDITION_FAILED);
    }

    /** Tells whether something else is at a path than what the commands were made for. */
    private static boolean hasMoved(Throwable e) {
        return e instanceof ServiceException s && (s.code() == ErrorCode.CONFLICT || s.code() == ErrorCode.NOT_FOUND);
    }

    private static Outcome outcome(UUID id, boolean isDry, WriteResult.OfSet result, List<Judged> judged) {
        boolean isWritten = !isDry && (result.firstRevision() > 0 || result.replayed());
        List<List<String>> warnings = new ArrayList<>();
        for (int i = 0; i < judged.size(); i++) {
            warnings.add(
                    i < result.members().size()
                            ? judged.get(i).warnings(result.members().get(i))
                            : judged.get(i).warnings());
        }
        return new Outcome(isWritten ? id : null, result, warnings);
    }

    /**
     * Returns what is at the paths of operations. Fails with {@link ErrorCode#TOO_MANY_CHANGES} if it is larger together than
     * a number of characters.
     */
    private Future<List<@Nullable Resource>> current(List<? extends Operation> operations, long maxChars) {
        return current(operations, maxChars, new ArrayList<>());
    }

    private Future<List<@Nullable Resource>> current(
            List<? extends Operation> operations, long maxChars, List<@Nullable Resource> found) {
        int end = Math.min(operations.size(), found.size() + READ_AT_ONCE);
        if (found.size() == end) {
            return Future.succeededFuture(found);
        }
        List<Future<@Nullable Resource>> reads = operations.subList(found.size(), end).stream()
                .map(o -> resources.at(o.path().unit(), o.path().name(), 0).map(Resources.Found::resource))
                .toList();
        return Future.all(reads).compose(v -> {
            long chars = maxChars;
            for (Future<@Nullable Resource> read : reads) {
                Resource r = read.result();
                found.add(r);
                chars -= r == null ? 0 : r.row().length() + r.sealed().length();
            }
            return chars < 0 ? Future.failedFuture(SetMember.tooMuchStored()) : current(operations, chars, found);
        });
    }

    private List<Judged> judge(List<? extends Operation> operations, List<@Nullable Resource> found, By by) {
        List<Judged> judged = new ArrayList<>();
        SortedMap<Integer, ServiceException> refused = new TreeMap<>();
        for (int i = 0; i < operations.size(); i++) {
            try {
                judged.add(judge(operations.get(i), found.get(i), by));
            } catch (ServiceException e) {
                refused.put(
                        i,
                        e.code() == ErrorCode.NOT_FOUND
                                ? new ServiceException(ErrorCode.CONFLICT, String.valueOf(e.getMessage()))
                                : e);
            }
        }
        if (!refused.isEmpty()) {
            throw ServiceException.ofOperations(refused);
        }
        return judged;
    }

    /** Completes with the commands once the rules of their kinds for their content permit all of them. */
    private static Future<List<Judged>> checked(List<? extends Operation> operations, List<Judged> judged, By by) {
        Set<Path> paths = new HashSet<>();
        operations.forEach(o -> paths.add(o.path()));
        Map<String, VersionedKind> kinds = new HashMap<>();
        paths.forEach(p -> kinds.put(p.kind().name(), p.kind()));
        Predicate<Resource> isReplaced = r -> kinds.containsKey(r.kind())
                && paths.contains(new Path(
                        Objects.requireNonNull(kinds.get(r.kind())), r.environment(), r.serviceName(), r.name()));
        SortedMap<Integer, ServiceException> refused = new TreeMap<>();
        List<Judged> passed = new ArrayList<>();
        Future<Void> checking = Future.succeededFuture();
        for (int i = 0; i < judged.size(); i++) {
            int index = i;
            checking = checking.compose(v -> PathWrites.checked(
                            operations.get(index).path().kind(),
                            operations.get(index).path().name(),
                            judged.get(index),
                            by,
                            isReplaced)
                    .onSuccess(passed::add)
                    .recover(e -> {
                        if (!(e instanceof ServiceException s)) {
                            return Future.failedFuture(e);
                        }
                        refused.put(index, s);
                        return Future.succeededFuture(judged.get(index));
                    })
                    .mapEmpty());
        }
        return checking.map(v -> {
            if (!refused.isEmpty()) {
                throw ServiceException.ofOperations(refused);
            }
            return passed;
        });
    }

    private Judged judge(Operation operation, @Nullable Resource current, By by) {
        Path path = operation.path();
        path.kind().requireWrite(by.caller(), path.environment(), path.serviceName());
        if (operation instanceof Operation.Put put) {
            put.precondition().checkWhole(current);
            return writes.put(path, current, put.fields(), put.precondition(), by);
        } else if (operation instanceof Operation.Delete delete) {
            delete.precondition().checkWhole(current);
            return writes.deletion(path, current, delete.precondition(), by);
        } else if (operation instanceof Operation.Restore restore) {
            return restore(restore, current, by);
        }
        throw new IllegalStateException("unknown operation: " + operation.getClass());
    }

    /** Returns the operations whose resources are still as they expect. */
    public Future<List<Operation.Restore>> unchangedSince(List<Operation.Restore> operations) {
        return resources
                .awaitLatest()
                .compose(v -> current(operations, SetMember.MAX_STORED_CHARS))
                .map(found -> {
                    List<Operation.Restore> left = new ArrayList<>();
                    for (int i = 0; i < operations.size(); i++) {
                        if (isAsExpected(operations.get(i), found.get(i))) {
                            left.add(operations.get(i));
                        }
                    }
                    return left;
                });
    }

    private static boolean isAsExpected(Operation.Restore restore, @Nullable Resource current) {
        Long expected = restore.expected();
        return expected == null ? current == null : current != null && current.revision() == expected;
    }

    private Judged restore(Operation.Restore restore, @Nullable Resource current, By by) {
        Long expected = restore.expected();
        if (!isAsExpected(restore, current)) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    restore.path().describe() + " has been changed since"
                            + (current == null ? ": it was deleted" : " (revision " + current.revision() + ")"));
        }
        Resource earlier = restore.earlier();
        if (earlier == null) {
            return writes.deletion(restore.path(), current, Precondition.revision(expected == null ? 0 : expected), by);
        }
        VersionedKind kind = restore.path().kind();
        if (current != null) {
            PathWrites.requireContent(kind, by.caller(), current);
        }
        PathWrites.requireContent(kind, by.caller(), earlier);
        return new Judged(
                new Command.Rollback(
                        ids.next(),
                        earlier.kind(),
                        earlier.id(),
                        earlier.environment(),
                        earlier.serviceName(),
                        earlier.name(),
                        earlier.row(),
                        earlier.sealed(),
                        expected == null ? null : List.of(expected),
                        by.origin().apply(null)),
                earlier.row().fields(),
                List.of());
    }
}
