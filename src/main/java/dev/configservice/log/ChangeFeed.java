package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Change.Hash;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of the log that this node has applied: its position, the last revision of every unit, and the last changes.
 * Changes are applied on one event loop, in the order of their revisions and without gaps. Reading is safe from any
 * thread.
 */
public final class ChangeFeed {
    private static final Logger log = LoggerFactory.getLogger(ChangeFeed.class);
    private static final Duration CUT_OFF_AFTER = Duration.ofSeconds(3);
    private static final long CUT_OFF_AFTER_NANOS = CUT_OFF_AFTER.toNanos();

    private final Vertx vertx;
    private final RecentChanges recent = new RecentChanges();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final PriorityQueue<Waiter> waiters = new PriorityQueue<>();

    private static final long BYTES_PER_UNIT = 2048;

    private volatile Map<UnitId, TouchedUnit> touched = new ConcurrentHashMap<>();
    /** The revisions of the marks of each kind, and after them the last of all. */
    private volatile Map<String, AtomicLongArray> marks = new ConcurrentHashMap<>();

    private volatile Head head = new Head(Position.ZERO, new Hash(""));
    private final long maxUnits;
    private volatile boolean started;
    private volatile long lastLookNanos = System.nanoTime();
    private volatile @Nullable Context context;

    /** Creates a feed that holds as many units as the heap allows, by a wide estimate of what each takes. */
    public ChangeFeed(Vertx vertx) {
        this(vertx, Runtime.getRuntime().maxMemory() / BYTES_PER_UNIT);
    }

    ChangeFeed(Vertx vertx, long maxUnits) {
        this.vertx = vertx;
        this.maxUnits = maxUnits;
    }

    /** The last revision of a unit, and the key of its snapshot in the grid during this epoch. */
    public static final class TouchedUnit {
        private final UnitId unit;
        private final String gridKey;
        private final long bornAt;
        private volatile long revision;
        private volatile @Nullable Object lastRead;

        TouchedUnit(UnitId unit, long epoch, long bornAt, long revision) {
            this.unit = unit;
            this.bornAt = bornAt;
            this.gridKey = epoch + "/" + unit.key();
            this.revision = revision;
        }

        public UnitId unit() {
            return unit;
        }

        public String gridKey() {
            return gridKey;
        }

        public long revision() {
            return revision;
        }

        /** Returns the object that a reader stored with the unit for its next read. The feed does not use it. */
        public @Nullable Object lastRead() {
            return lastRead;
        }

        public void lastRead(Object read) {
            lastRead = read;
        }

        /**
         * Returns the revision of the unit's first change, before which the unit was empty; 0 if the unit existed when
         * the feed was last reset.
         */
        public long bornAt() {
            return bornAt;
        }
    }

    /** A listener for applied changes. It is called on the event loop of the feed and must not block. */
    public interface Listener {
        void applied(Change change);

        /**
         * Handles a reset of the feed: the log went back, or changes were skipped. All state that was derived from
         * single changes must be rebuilt.
         */
        public default void reset(Position position) {}
    }

    private record Waiter(long revision, Promise<Void> promise) implements Comparable<Waiter> {
        @Override
        public int compareTo(Waiter o) {
            return Long.compare(revision, o.revision);
        }
    }

    public void addListener(Listener listener) {
        listeners.add(listener);
    }

    /**
     * Tells whether the node knows which units exist, from PostgreSQL or from a stored position. Until then, a unit
     * that the feed does not know must not be taken for empty.
     */
    public boolean isStarted() {
        return started;
    }

    /** A position with the hash of the chain at it. */
    public record Head(Position position, Hash hash) {}

    /** Returns the position that was applied last with its hash: both of one moment. */
    public Head head() {
        return head;
    }

    public Position applied() {
        return head.position();
    }

    public RecentChanges recent() {
        return recent;
    }

    /** Returns a unit with its last revision; null if the unit has no resources. */
    public @Nullable TouchedUnit touched(UnitId unit) {
        return touched.get(unit);
    }

    /**
     * Returns a revision for a unit without resources: that of the last change of it, or of a later one that emptied
     * another unit of its kind; 0 if there was none.
     */
    public long emptySince(UnitId unit) {
        AtomicLongArray ofKind = marks.get(unit.kind());
        return ofKind == null ? 0 : ofKind.get(unit.markNumber());
    }

    /** Returns the revision of the last change that left a unit of a kind without resources; 0 if there was none. */
    public long lastEmptied(String kind) {
        AtomicLongArray ofKind = marks.get(kind);
        return ofKind == null ? 0 : ofKind.get(UnitId.MARKS);
    }

    /** Returns all units that have resources, and marks. */
    public Iterable<TouchedUnit> touchedUnits() {
        return touched.values();
    }

    /** Returns the number of units that have resources, and marks. */
    public int size() {
        return touched.size();
    }

    /** Returns the largest number of units: every node knows each of them. */
    public long maxUnits() {
        return maxUnits;
    }

    /** Fails with {@link ErrorCode#LAYER_FULL} if a unit would be one too many. */
    void requireRoom(UnitId unit) {
        if (touched.size() >= maxUnits && !touched.containsKey(unit)) {
            throw new ServiceException(
                    ErrorCode.LAYER_FULL,
                    "There are " + maxUnits
                            + " environments and services with something of their own, which is as many as the"
                            + " heap of a node allows; delete some first");
        }
    }

    /** Returns the time for which the node has been cut off from the log; zero if it is not. */
    public Duration staleness() {
        long since = System.nanoTime() - lastLookNanos;
        return started && since <= CUT_OFF_AFTER_NANOS ? Duration.ZERO : Duration.ofNanos(since);
    }

    /** Returns the time since the node last compared its position with the log. */
    public Duration lookAge() {
        return Duration.ofNanos(System.nanoTime() - lastLookNanos);
    }

    /** Completes when a revision is applied. Fails with {@link ErrorCode#BEHIND} at the deadline. */
    public Future<Void> awaitApplied(long revision, Duration deadline) {
        if (applied().revision() >= revision) {
            return Future.succeededFuture();
        }
        Promise<Void> promise = Promise.promise();
        run(() -> {
            if (applied().revision() >= revision) {
                promise.tryComplete();
                return;
            }
            Waiter waiter = new Waiter(revision, promise);
            waiters.add(waiter);
            long timer = vertx.setTimer(deadline.toMillis(), t -> {
                waiters.remove(waiter);
                promise.tryFail(new ServiceException(
                        ErrorCode.BEHIND,
                        "This node has applied revision " + applied().revision() + " (required: " + revision + ")"));
            });
            promise.future().onComplete(done -> vertx.cancelTimer(timer));
        });
        return promise.future();
    }

    /** Binds the feed to the event loop on which changes are applied. */
    public void bind(Context eventLoop) {
        context = eventLoop;
    }

    /** Runs a task on the event loop of the feed; immediately if the caller is already on it. */
    public void run(Runnable task) {
        Context c = context;
        if (c == null || Vertx.currentContext() == c) {
            task.run();
        } else {
            c.runOnContext(v -> task.run());
        }
    }

    /**
     * Records that the node starts from a stored position, which was last compared with the log {@code age} ago. The
     * node counts as cut off until its own first comparison.
     */
    void startedStale(Duration age) {
        Duration atLeast = age.compareTo(CUT_OFF_AFTER) > 0 ? age : CUT_OFF_AFTER.plusMillis(1);
        lastLookNanos = System.nanoTime() - atLeast.toNanos();
    }

    public void lookedAt(long nanos) {
        lastLookNanos = nanos;
    }

    /** Continues from another position, with the revisions of all units at that position. */
    public void reset(Position position, Hash positionHash, Map<String, Long> units) {
        Map<UnitId, TouchedUnit> fresh = new ConcurrentHashMap<>(Math.max(16, units.size() * 2));
        units.forEach((key, revision) -> {
            UnitId unit = UnitId.parse(key);
            fresh.put(unit, new TouchedUnit(unit, position.epoch(), 0, revision));
        });
        touched = fresh;
        marks = new ConcurrentHashMap<>();
        fresh.forEach((unit, known) -> {
            if (unit.kind().equals(UnitId.MARK)) {
                mark(unit, known.revision);
            }
        });
        recent.reset(position.revision(), positionHash);
        head = new Head(position, positionHash);
        boolean first = !started;
        started = true;
        if (!first) {
            tell(l -> l.reset(position));
        }
        wake();
    }

    /** Applies the next changes. The first must directly follow the last applied change, and no set may be cut. */
    public void apply(List<Change> changes) {
        int from = 0;
        while (from < changes.size()) {
            int end = SetMember.end(changes, from);
            applyTogether(changes.subList(from, end));
            from = end;
        }
        wake();
    }

    /**
     * Applies changes that nobody may see apart. Units are touched before the head moves: who knows of a revision of the
     * head, knows of all units that it touched.
     */
    private void applyTogether(List<Change> together) {
        long next = applied().revision() + 1;
        for (Change change : together) {
            if (change.revision() != next++) {
                throw new IllegalStateException("revision " + change.revision() + " (expected: " + (next - 1) + ")");
            }
        }
        recent.add(together);
        if (together.size() == 1) {
            touch(together.get(0), together.get(0));
        } else {
            Map<UnitId, Change> first = new HashMap<>();
            Map<UnitId, Change> last = new HashMap<>();
            for (Change change : together) {
                first.putIfAbsent(change.resource().unit(), change);
                last.put(change.resource().unit(), change);
            }
            last.forEach((unit, change) -> touch(Objects.requireNonNull(first.get(unit)), change));
        }
        Change last = together.get(together.size() - 1);
        head = new Head(last.position(), last.hash());
        together.forEach(change -> tell(l -> l.applied(change)));
    }

    /** Notes the first and the last change of a unit among those that are applied together. */
    private void touch(Change first, Change last) {
        UnitId unit = last.resource().unit();
        if (last.emptiesUnit()) {
            touch(unit.mark(), last.position(), last.revision());
            mark(unit.mark(), last.revision());
            touched.remove(unit);
        } else {
            touch(unit, last.position(), first.revision());
        }
    }

    private void touch(UnitId unit, Position at, long bornAt) {
        TouchedUnit known = touched.get(unit);
        if (known == null) {
            touched.put(unit, new TouchedUnit(unit, at.epoch(), bornAt, at.revision()));
        } else {
            known.revision = at.revision();
        }
    }

    private void mark(UnitId mark, long revision) {
        AtomicLongArray ofKind =
                marks.computeIfAbsent(mark.environment(), kind -> new AtomicLongArray(UnitId.MARKS + 1));
        ofKind.set(Integer.parseInt(mark.serviceName()), revision);
        ofKind.accumulateAndGet(UnitId.MARKS, revision, Math::max);
    }

    /** Calls every listener, even if one of them fails: a failure must not make the others miss a change. */
    private void tell(Consumer<Listener> what) {
        for (Listener listener : listeners) {
            try {
                what.accept(listener);
            } catch (RuntimeException e) {
                log.error(
                        "feed.listener-failed listener={}", listener.getClass().getName(), e);
            }
        }
    }

    /** Returns the units of changes, with the last revision of each; 0 if it has no resources afterwards. */
    static Map<String, Long> unitsOf(List<Change> changes) {
        Map<String, Long> units = new HashMap<>();
        for (Change change : changes) {
            UnitId unit = change.resource().unit();
            if (change.emptiesUnit()) {
                units.put(unit.mark().key(), change.revision());
            }
            units.put(unit.key(), change.emptiesUnit() ? 0 : change.revision());
        }
        return units;
    }

    /** Returns the units of changes that are not applied yet, with the last applied revision of each; 0 for a new one. */
    Map<String, Long> unitsBefore(List<Change> changes) {
        Map<String, Long> units = new HashMap<>();
        for (Change change : changes) {
            UnitId unit = change.resource().unit();
            units.put(unit.key(), revisionOf(unit));
            if (change.emptiesUnit()) {
                units.put(unit.mark().key(), revisionOf(unit.mark()));
            }
        }
        return units;
    }

    private long revisionOf(UnitId unit) {
        TouchedUnit known = touched.get(unit);
        return known == null ? 0 : known.revision;
    }

    public Map<String, Long> units() {
        Map<String, Long> units = new HashMap<>();
        touched.forEach((unit, known) -> units.put(unit.key(), known.revision));
        return units;
    }

    private void wake() {
        List<Waiter> due = new ArrayList<>();
        while (true) {
            Waiter first = waiters.peek();
            if (first == null || first.revision > applied().revision()) {
                break;
            }
            due.add(waiters.remove());
        }
        due.forEach(w -> w.promise.tryComplete());
    }
}
