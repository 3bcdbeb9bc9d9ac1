package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.ApplyBatch.BatchOutcome;
import dev.configservice.log.BatchJudge.Decided;
import dev.configservice.log.ChangeLog.Unchanged;
import dev.configservice.log.CommandRules.Decision;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.log.WriteQueue.Pending;
import dev.configservice.log.WriteQueue.PendingSet;
import dev.configservice.postgres.Postgres;
import dev.configservice.vertx.Backoff;
import dev.configservice.vertx.Outage;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.pgclient.PgException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The writer, which is the only way into the log. The commands that queue up while a batch runs form the next batch. A
 * batch needs one read of the current rows and one call that applies it. A command is answered when the feed of this
 * node has applied its change, or at its deadline. A command that has been answered is never sent to PostgreSQL.
 *
 * <p>If the result of a call is lost, the writer does not guess. It ends the PostgreSQL backend that executed the call,
 * and then looks up which of the commands are in the log. A command that is found there, or that has nothing to change,
 * is answered only after a commit that PostgreSQL made durable: what is there may be only local, if a synchronous
 * standby does not answer.
 */
public final class WriterVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(WriterVerticle.class);

    static final int MAX_BATCH = 128;
    private static final AttributeKey<Long> REVISION = AttributeKey.longKey("config_service.revision");
    /** The SQLSTATE for commands that are said to have occurred before the last change. */
    private static final String EARLIER = "CS002";
    /** The SQLSTATE for commands that are said to have occurred later than now. */
    private static final String LATER = "CS003";

    private static final Duration CALL_DEADLINE = Duration.ofSeconds(3);
    private static final Duration FORGET_KEYS_EVERY = Duration.ofMinutes(10);
    static final Duration APPLIED_DEADLINE = Duration.ofSeconds(2);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(40);
    private static final Duration MAX_PAUSE = Duration.ofMillis(500);

    private final ChangeBus bus;
    private final ChangeFeed feed;
    private final ChangeFeedVerticle follower;
    private final ChangeLog changeLog;
    private final WriterConnection connection;
    private final ResourceKinds kinds;
    private final CommandRules rules;
    private final BatchJudge judge;
    private final Backoff backoff = new Backoff(FIRST_PAUSE, MAX_PAUSE);
    private final Outage outage = new Outage(log, "writer");
    private final LogClock clock;
    private final WriteQueue queue;
    private final Counter written;
    private final DistributionSummary batchSizes;

    private List<Pending> running = List.of();
    /** The last revision that this node wrote. */
    private long lastWritten;

    private boolean busy;
    private boolean oneByOne;
    private boolean stopped;

    public WriterVerticle(
            ChangeBus bus,
            ChangeFeed feed,
            ChangeFeedVerticle follower,
            ChangeLog changeLog,
            UnitReader unitReader,
            Postgres postgres,
            ResourceKinds kinds,
            InstantSource clock,
            Duration deadline,
            MeterRegistry meters) {
        this.bus = bus;
        this.feed = feed;
        this.follower = follower;
        this.changeLog = changeLog;
        this.connection = new WriterConnection(postgres);
        this.kinds = kinds;
        this.rules = new CommandRules(kinds);
        this.judge = new BatchJudge(kinds, feed, unitReader);
        this.clock = new LogClock(clock);
        this.queue = new WriteQueue(deadline);
        this.written = Counter.builder("config_service_writes")
                .description("Revisions that this node wrote")
                .register(meters);
        this.batchSizes = DistributionSummary.builder("config_service_write_batch_size")
                .description("Commands written in one call")
                .register(meters);
    }

    @Override
    public Future<?> start() {
        vertx.setPeriodic(50, t -> queue.answerOverdue(running));
        vertx.setPeriodic(
                FORGET_KEYS_EVERY.toMillis(),
                t -> changeLog
                        .forgetOldKeys()
                        .onFailure(e -> log.debug("writer.old-keys-not-deleted cause={}", e.toString())));
        feed.addListener(change -> clock.occurred(change.occurredAt()));
        return bus.onWrite(this::submit, this::submit);
    }

    @Override
    public Future<?> stop() {
        stopped = true;
        connection.drop();
        return Future.succeededFuture();
    }

    private Future<WriteResult> submit(Command command) {
        Pending pending = stopped ? null : queue.add(command);
        if (pending == null) {
            return Future.failedFuture(ServiceException.unavailable("Too many writes are waiting"));
        }
        next();
        return pending.promise.future();
    }

    private Future<WriteResult.OfSet> submit(Command.Set set) {
        PendingSet pending = stopped ? null : queue.add(set);
        if (pending == null) {
            return Future.failedFuture(ServiceException.unavailable("Too many writes are waiting"));
        }
        next();
        return pending.promise.future();
    }

    private void next() {
        if (busy || stopped) {
            return;
        }
        List<Pending> batch = queue.take(oneByOne ? 1 : MAX_BATCH);
        if (batch.isEmpty()) {
            return;
        }
        busy = true;
        running = batch;
        run(batch).onComplete(done -> {
            busy = false;
            running = List.of();
            if (done.succeeded()) {
                backoff.reset();
                outage.succeeded();
                next();
            } else {
                backOff(done.cause());
            }
        });
    }

    private void backOff(Throwable cause) {
        long pause = backoff.nextMillis();
        outage.failed(cause);
        vertx.setTimer(pause, t -> next());
    }

    /**
     * Runs a batch. Succeeds when every command is answered or back in the queue. Fails if PostgreSQL is unreachable,
     * so that the writer pauses before the next attempt.
     */
    private Future<Void> run(List<Pending> batch) {
        return connection
                .ready()
                .compose(v -> readCurrent(batch))
                .compose(current -> {
                    Decisions decisions = together(decide(batch, current), batch);
                    return judge.permitted(decisions.entries(), current.now().resources(), lastWritten)
                            .map(entries -> together(entries, batch))
                            .compose(entries -> durable(entries, decisions.unchanged()))
                            .map(entries -> {
                                queue.putBack(decisions.later());
                                return entries;
                            });
                })
                .compose(this::apply, e -> {
                    connection.drop();
                    queue.putBack(batch);
                    return Future.failedFuture(e);
                });
    }

    /** The current resources of a batch, and the last states of those that it may have to restore or create again. */
    private record Current(ChangeLog.Stored now, ChangeLog.Stored last) {
        boolean isUnread(String key) {
            return now.unread().contains(key) || last.unread().contains(key);
        }
    }

    private Future<Current> readCurrent(List<Pending> batch) {
        List<Command> reading = batch.stream()
                .map(p -> p.command)
                .filter(CommandRules::readsCurrent)
                .toList();
        if (reading.isEmpty()) {
            return Future.succeededFuture(new Current(ChangeLog.Stored.NOTHING, ChangeLog.Stored.NOTHING));
        }
        List<Command> restoring = reading.stream()
                .filter(c -> c instanceof Command.Rollback || c instanceof Command.Put)
                .toList();
        return changeLog
                .resources(connection.get(), reading, CALL_DEADLINE)
                .compose(now -> restoring.isEmpty()
                        ? Future.succeededFuture(new Current(now, ChangeLog.Stored.NOTHING))
                        : changeLog
                                .lastStates(connection.get(), restoring, CALL_DEADLINE)
                                .map(last -> new Current(now, last)));
    }

    /** Tells whether a command of a set was refused, so that none of them may be written. */
    private static boolean isRefused(List<Pending> batch) {
        PendingSet set = batch.get(0).set;
        return set != null && (set.failIfRefused() || batch.get(0).isAnswered());
    }

    /** Gives the entries of a set their places in it, or drops them if one was refused. */
    private static Decisions together(Decisions decisions, List<Pending> batch) {
        PendingSet set = batch.get(0).set;
        if (isRefused(batch)) {
            return new Decisions(List.of(), List.of(), List.of());
        }
        if (set == null) {
            return decisions;
        }
        int count = decisions.entries().size();
        if (count > 0) {
            decisions.unchanged().forEach(done -> set.keep(done.pending, done.result));
        }
        List<Decided> placed = new ArrayList<>(count);
        for (Decided d : decisions.entries()) {
            placed.add(new Decided(d.pending(), d.entry().in(new SetMember(set.set.id(), placed.size(), count))));
        }
        return new Decisions(placed, count > 0 ? List.of() : decisions.unchanged(), decisions.later());
    }

    private static List<Decided> together(List<Decided> judged, List<Pending> batch) {
        return isRefused(batch) ? List.of() : judged;
    }

    /** The decisions on a batch: entries to write, commands that change nothing, and commands for the next batch. */
    private record Decisions(List<Decided> entries, List<Done> unchanged, List<Pending> later) {}

    private Decisions decide(List<Pending> batch, Current current) {
        PendingSet set = batch.get(0).set;
        if (set != null) {
            set.decideAnew();
        }
        Instant now = clock.now();
        List<Decided> decided = new ArrayList<>(batch.size());
        List<Done> unchanged = new ArrayList<>();
        List<Pending> later = new ArrayList<>();
        Set<String> claimed = new HashSet<>();
        for (Pending p : batch) {
            if (p.isAnswered()) {
                continue;
            }
            String key = ChangeLog.key(p.command.kind(), p.command.id());
            if (current.isUnread(key)) {
                if (p.set == null) {
                    later.add(p);
                } else {
                    p.refuse(SetMember.tooMuchStored());
                }
                continue;
            }
            try {
                p.before = current.now().resources().get(key);
                Decision decision = rules.decide(
                        p.command, p.before, current.last().resources().get(key), now);
                if (decision instanceof Decision.Append append) {
                    if (append.entry().op() == LogEntry.Op.CREATE) {
                        feed.requireRoom(append.entry().resource().unit());
                    }
                    // a set has the key of its one request, and no path twice
                    if (p.set != null || claims(append.entry()).stream().allMatch(claimed::add)) {
                        decided.add(new Decided(p, append.entry()));
                    } else {
                        later.add(p);
                    }
                } else if (decision instanceof Decision.Keep keep) {
                    IdempotencyKey request = key(p);
                    if (p.set != null || request == null || claimed.add(claim(request))) {
                        unchanged.add(new Done(
                                p,
                                new WriteResult(keep.current(), keep.current().revision(), false, keep.current())));
                    } else {
                        later.add(p);
                    }
                }
            } catch (ServiceException e) {
                p.refuse(e);
            } catch (RuntimeException e) {
                p.failed(e);
            }
        }
        return new Decisions(decided, unchanged, later);
    }

    /**
     * Returns the keys that at most one entry of a batch may use: a path or an Idempotency-Key. Only the database
     * can tell whether they are free, and it does not compare the entries of one batch with each other.
     */
    private static List<String> claims(LogEntry entry) {
        List<String> claims = new ArrayList<>(2);
        Resource r = entry.resource();
        if (entry.op() == LogEntry.Op.CREATE) {
            claims.add("path/" + r.kind() + "/" + r.environment() + "/" + r.serviceName() + "/" + r.name());
        }
        IdempotencyKey key = entry.origin().idempotencyKey();
        if (key != null) {
            claims.add(claim(key));
        }
        return claims;
    }

    private static String claim(IdempotencyKey key) {
        return "key/" + key.caller() + "/" + key.key();
    }

    /**
     * Answers the commands that change nothing, once the state that they found is durable. Their Idempotency-Keys are kept,
     * too: if something else is there by the time that one is repeated, it must not be changed.
     */
    private Future<List<Decided>> durable(List<Decided> entries, List<Done> unchanged) {
        if (unchanged.isEmpty()) {
            return Future.succeededFuture(entries);
        }
        List<Unchanged> keyed = keyed(unchanged);
        if (keyed.isEmpty()) {
            return connection.durable(CALL_DEADLINE).map(v -> {
                answerWhenApplied(unchanged);
                return entries;
            });
        }
        return connection
                .durably(() -> changeLog.keepKeys(connection.get(), keyed, CALL_DEADLINE))
                .compose(known -> answerUnchanged(unchanged, keyed, known))
                .map(entries);
    }

    private static @Nullable IdempotencyKey key(Pending pending) {
        return pending.command.origin().idempotencyKey();
    }

    /** Returns the requests among commands that change nothing which have a key: a set is one request. */
    private static List<Unchanged> keyed(List<Done> unchanged) {
        Pending first = unchanged.get(0).pending;
        IdempotencyKey ofSet = key(first);
        if (first.set != null) {
            return ofSet == null
                    ? List.of()
                    : List.of(new Unchanged(ofSet, new ChangeLog.Repeated(0, first.set.set.id())));
        }
        List<Unchanged> keyed = new ArrayList<>();
        for (Done d : unchanged) {
            IdempotencyKey key = key(d.pending());
            if (key != null) {
                keyed.add(new Unchanged(
                        key,
                        new ChangeLog.Repeated(
                                d.result.revision(), d.pending().command.eventId())));
            }
        }
        return keyed;
    }

    /** Answers commands that change nothing, unless the first request with the key of one did something else. */
    private Future<Void> answerUnchanged(
            List<Done> unchanged, List<Unchanged> keyed, Map<IdempotencyKey, Optional<ChangeLog.Repeated>> known) {
        Map<IdempotencyKey, Unchanged> own = new HashMap<>();
        keyed.forEach(r -> own.put(r.key(), r));
        List<Done> answered = new ArrayList<>();
        Map<Long, List<Pending>> replayed = new HashMap<>();
        for (Done d : unchanged) {
            Unchanged request = own.get(key(d.pending()));
            if (request == null) {
                answered.add(d);
                continue;
            }
            ChangeLog.Repeated first =
                    known.getOrDefault(request.key(), Optional.empty()).orElse(null);
            if (first == null) {
                d.pending().refuse(ServiceException.keyReused());
            } else if (first.set() != null
                    && first.revision() == request.answer().revision()) {
                // this request, or one that found the same
                answered.add(d);
            } else if (d.pending().set != null) {
                d.pending().set.promise.tryComplete(new WriteResult.OfSet(first.revision(), List.of(), true));
            } else {
                replayed.computeIfAbsent(first.revision(), r -> new ArrayList<>())
                        .add(d.pending());
            }
        }
        PendingSet set = unchanged.get(0).pending.set;
        if (set != null && set.failIfRefused()) {
            return Future.succeededFuture();
        }
        answerWhenApplied(answered);
        // if that fails, all of the batch is put back
        return replayed.isEmpty() ? Future.succeededFuture() : replay(replayed);
    }

    private Future<Void> apply(List<Decided> judged) {
        // a command that was answered while its unit was read must not be written any more
        List<Decided> decided =
                judged.stream().filter(d -> !d.pending().isAnswered()).toList();
        if (decided.isEmpty()) {
            return Future.succeededFuture();
        }
        List<LogEntry> entries = decided.stream().map(d -> d.entry()).toList();
        PendingSet set = decided.get(0).pending().set;
        boolean isDry = set != null && set.set.isDry();
        decided.forEach(d -> d.pending().sent = !isDry);
        ChangeFeed.Head head = feed.head();
        Position known = head.position();
        connection.expectNoWarning();
        return changeLog
                .apply(
                        connection.get(),
                        known,
                        head.hash(),
                        entries,
                        set == null ? null : set.set.id(),
                        isDry,
                        kinds,
                        CALL_DEADLINE)
                .compose(outcomes -> connection.isWarned()
                        ? Future.failedFuture(ServiceException.unavailable("PostgreSQL warned during the commit"))
                        : Future.succeededFuture(outcomes))
                .compose(outcomes -> settle(known.epoch(), decided, outcomes), e -> unsettled(known, decided, e));
    }

    private Future<Void> settle(long epoch, List<Decided> decided, List<ApplyBatch.Result> results) {
        batchSizes.record(decided.size());
        oneByOne = false;
        PendingSet set = decided.get(0).pending().set;
        if (set != null && (set.set.isDry() || results.stream().anyMatch(r -> r.outcome() != BatchOutcome.DONE))) {
            return settleUnwritten(set, decided, results);
        }
        if (set != null) {
            set.answerKept();
        }
        List<Change> changes = new ArrayList<>(decided.size());
        List<Done> done = new ArrayList<>(decided.size());
        List<Pending> moved = new ArrayList<>();
        Map<Long, List<Pending>> replayed = new HashMap<>();
        for (int i = 0; i < decided.size(); i++) {
            Pending p = decided.get(i).pending();
            ApplyBatch.Result result = results.get(i);
            // an applied command stays 'sent' until it is answered: if its deadline passes first, the error must not
            // say that nothing was written
            p.sent = result.outcome() == BatchOutcome.DONE;
            switch (result.outcome()) {
                case DONE -> {
                    Position at = new Position(epoch, result.revision());
                    Change change = decided.get(i)
                            .entry()
                            .toChange(at, Objects.requireNonNull(result.hash()), result.emptiesUnit());
                    changes.add(change);
                    p.span.addEvent("committed", Attributes.of(REVISION, result.revision()));
                    done.add(new Done(p, change, false));
                }
                case REPLAYED ->
                    replayed.computeIfAbsent(result.revision(), r -> new ArrayList<>())
                            .add(p);
                case REUSED -> p.promise.tryFail(ServiceException.keyReused());
                case TAKEN -> p.promise.tryFail(taken(decided.get(i).entry().resource(), result.otherId()));
                case FULL -> p.promise.tryFail(full(decided.get(i).entry()));
                case MOVED, GONE -> moved.add(p);
            }
        }
        written.increment(changes.size());
        if (!changes.isEmpty()) {
            lastWritten = changes.get(changes.size() - 1).revision();
            follower.offer(changes);
        }
        answerWhenApplied(done);
        queue.putBack(moved);
        return replayed.isEmpty()
                ? Future.succeededFuture()
                : replay(replayed).onFailure(e -> {
                    connection.drop();
                    queue.putBack(
                            replayed.values().stream().flatMap(List::stream).toList());
                });
    }

    /** Answers a set of which nothing was written: it was dry, was written before, or one of its commands cannot be. */
    private Future<Void> settleUnwritten(PendingSet set, List<Decided> decided, List<ApplyBatch.Result> results) {
        decided.forEach(d -> d.pending().sent = false);
        BatchOutcome first = results.get(0).outcome();
        String other = results.get(0).otherId();
        if (first == BatchOutcome.REPLAYED && other != null) {
            // the caller reads the result of the first request from the log
            set.promise.tryComplete(new WriteResult.OfSet(results.get(0).revision(), List.of(), true));
            return Future.succeededFuture();
        }
        boolean hasMoved = false;
        for (int i = 0; i < decided.size(); i++) {
            Pending p = decided.get(i).pending();
            switch (results.get(i).outcome()) {
                // it would be written, if all others were
                case DONE ->
                    set.keep(p, new WriteResult(decided.get(i).entry().resource(), 0, false, p.before, p.warnings));
                case TAKEN ->
                    p.refuse(taken(
                            decided.get(i).entry().resource(), results.get(i).otherId()));
                case FULL -> p.refuse(full(decided.get(i).entry()));
                case MOVED, GONE -> hasMoved = true;
                case REUSED, REPLAYED -> p.refuse(ServiceException.keyReused());
            }
        }
        if (set.failIfRefused()) {
            return Future.succeededFuture();
        }
        if (hasMoved) {
            queue.putBack(set.members);
        } else {
            set.answerKept();
        }
        return Future.succeededFuture();
    }

    private ServiceException full(LogEntry entry) {
        Resource r = entry.resource();
        return new ServiceException(
                ErrorCode.LAYER_FULL,
                "This write would make what is read together (" + r.unit().key() + ") larger than "
                        + kinds.get(r.kind()).unitMaxBytes(entry.action()) + " bytes; delete something first");
    }

    private static ServiceException taken(Resource resource, @Nullable String otherId) {
        String what = resource.kind().replace('_', ' ');
        return new ServiceException(
                ErrorCode.CONFLICT,
                "A " + what + " with this name already exists",
                List.of(),
                Map.of("id", String.valueOf(otherId)));
    }

    /** Answers repeated requests with the result of the first one. If that fails, none of them is answered. */
    private Future<Void> replay(Map<Long, List<Pending>> replayed) {
        return changeLog
                .byRevisions(connection.get(), List.copyOf(replayed.keySet()), CALL_DEADLINE)
                .map(changes -> {
                    List<Done> found = new ArrayList<>();
                    for (Change change : changes) {
                        List<Pending> same = replayed.remove(change.revision());
                        if (same != null) {
                            same.forEach(p -> found.add(new Done(p, change, true)));
                        }
                    }
                    answerWhenApplied(found);
                    replayed.values().stream()
                            .flatMap(List::stream)
                            .forEach(p -> p.promise.tryFail(new ServiceException(
                                    ErrorCode.GONE, "The result of the first request is no longer in the log")));
                    return null;
                });
    }

    /** Handles a call that failed: either PostgreSQL refused it and nothing was written, or its outcome is unknown. */
    private Future<Void> unsettled(Position known, List<Decided> decided, Throwable failure) {
        List<Pending> batch = decided.stream().map(d -> d.pending()).toList();
        if (Postgres.isRefusedForNow(failure)) {
            // PostgreSQL replied that it refused the call, so nothing was written
            batch.forEach(p -> p.sent = false);
            queue.putBack(batch);
            return Future.failedFuture(failure);
        }
        if (!Postgres.isAway(failure)) {
            batch.forEach(p -> p.sent = false);
            if (isOtherLog(failure)) {
                follower.poke();
                queue.putBack(batch);
                return Future.failedFuture(failure);
            }
            if (failure instanceof PgException e
                    && (EARLIER.equals(e.getSqlState()) || LATER.equals(e.getSqlState()))) {
                Instant told = Instant.ofEpochMilli(Long.parseLong(e.getErrorMessage()));
                if (EARLIER.equals(e.getSqlState())) {
                    clock.occurred(told);
                } else {
                    clock.setBackTo(told);
                }
                queue.putBack(batch);
                return Future.succeededFuture();
            }
            if (batch.size() > 1 && batch.get(0).set == null) {
                log.warn("writer.one-by-one commands={} cause={}", batch.size(), failure.toString());
                oneByOne = true;
                queue.putBack(batch);
                return Future.succeededFuture();
            }
            log.error("writer.refused kind={} cause={}", batch.get(0).command.kind(), failure.toString());
            ServiceException refused = new ServiceException(ErrorCode.INTERNAL, "The database refused the write");
            batch.forEach(p -> p.promise.tryFail(refused));
            return Future.succeededFuture();
        }
        log.warn("writer.outcome-unknown commands={} cause={}", batch.size(), failure.toString());
        return findOut(known, decided, new Backoff(FIRST_PAUSE, MAX_PAUSE));
    }

    private static boolean isOtherLog(Throwable failure) {
        return failure instanceof PgException e && "CS001".equals(e.getSqlState());
    }

    /**
     * Finds out which commands of a lost call are in the log. It looks on a new connection, after the backend that
     * executed the call has ended. Retries until the outcome is known or every caller has been answered.
     */
    private Future<Void> findOut(Position known, List<Decided> decided, Backoff pauses) {
        List<UUID> ids = decided.stream().map(d -> d.entry().eventId()).toList();
        return connection
                .replaceEndingOld()
                .compose(v -> changeLog.byEvents(connection.get(), known.revision(), ids, CALL_DEADLINE))
                // what is found may be only local
                .compose(changes -> changes.isEmpty()
                        ? Future.succeededFuture(changes)
                        : connection.durable(CALL_DEADLINE).map(changes))
                .compose(
                        changes -> {
                            settleFound(decided, changes);
                            return Future.succeededFuture();
                        },
                        e -> {
                            if (stopped
                                    || decided.stream()
                                            .allMatch(d -> d.pending().isAnswered())) {
                                return Future.failedFuture(e);
                            }
                            Promise<Void> later = Promise.promise();
                            vertx.setTimer(
                                    pauses.nextMillis(),
                                    t -> findOut(known, decided, pauses).onComplete(later));
                            return later.future();
                        });
    }

    private void settleFound(List<Decided> decided, List<Change> changes) {
        Map<UUID, Change> byEvent = new HashMap<>();
        changes.forEach(c -> byEvent.put(c.eventId(), c));
        List<Done> done = new ArrayList<>();
        List<Pending> notDone = new ArrayList<>();
        for (Decided d : decided) {
            Change change = byEvent.get(d.entry().eventId());
            d.pending().sent = change != null;
            if (change == null) {
                notDone.add(d.pending());
            } else {
                done.add(new Done(d.pending(), change, false));
            }
        }
        PendingSet set = decided.get(0).pending().set;
        if (set != null && !done.isEmpty()) {
            set.answerKept();
        }
        answerWhenApplied(done);
        log.info("writer.outcome-known applied={} retried={}", changes.size(), notDone.size());
        follower.poke();
        queue.putBack(notDone);
    }

    /** A command that was applied, or had nothing to change, and its result. */
    private record Done(Pending pending, WriteResult result) {
        Done(Pending pending, Change change, boolean replayed) {
            this(
                    pending,
                    new WriteResult(
                            change.resource(),
                            change.revision(),
                            replayed,
                            replayed ? null : pending.before,
                            replayed ? List.of() : pending.warnings));
        }

        void answer() {
            pending.span.addEvent("visible", Attributes.of(REVISION, result.revision()));
            pending.promise.tryComplete(result);
        }
    }

    /**
     * Answers commands when this node has applied the last of their changes. Waiting for each change would gain
     * nothing, because the node applies all changes of a batch together.
     */
    private void answerWhenApplied(List<Done> done) {
        long last = done.stream().mapToLong(d -> d.result.revision()).max().orElse(0);
        if (feed.applied().revision() >= last) {
            done.forEach(Done::answer);
            return;
        }
        feed.awaitApplied(last, APPLIED_DEADLINE).onComplete(waited -> {
            if (waited.failed()) {
                log.warn(
                        "writer.not-applied revision={} applied={}",
                        last,
                        feed.applied().revision());
            }
            done.forEach(Done::answer);
        });
    }
}
