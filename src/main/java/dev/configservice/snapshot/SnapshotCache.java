package dev.configservice.snapshot;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeFeed.TouchedUnit;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import dev.configservice.settings.CacheSettings;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.circuitbreaker.CircuitBreaker;
import io.vertx.circuitbreaker.CircuitBreakerOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots for reads. When a read arrives, the revision that it needs is fixed: the last revision of its unit that
 * this node has applied. Only a snapshot as of that revision or later is returned, no matter which tier has it. So a
 * lost or late invalidation costs a load, but never makes a read stale. {@link #get} describes the exception while
 * PostgreSQL is unreachable. A unit that the log does not know is empty and needs no load.
 */
public final class SnapshotCache implements ChangeFeed.Listener {
    private static final Logger log = LoggerFactory.getLogger(SnapshotCache.class);
    private static final Duration GRID_DEADLINE = Duration.ofMillis(50);
    private static final Duration LOAD_DEADLINE = Duration.ofSeconds(2);
    private static final Duration APPLIED_DEADLINE = Duration.ofSeconds(2);

    /** The number of times that several units are read, until they are of one revision. */
    private static final int TOGETHER_TRIES = 20;

    /** Large units are loaded in parts, each with a deadline of its own, and wait for their turn. */
    private static final Duration LARGE_LOAD_DEADLINE = Duration.ofSeconds(20);

    /** The size, by its estimate, from which packing a unit takes memory that few may take at a time. */
    private static final int LARGE_OFFER_BYTES = 1 << 20;

    private static final long REFRESH_MILLIS = 100;
    private static final long FORGET_MILLIS = 3000;
    /** The size of the units, by their estimate, that are offered to the grid and Redis in a second on average. */
    private static final long OFFERED_BYTES_PER_SECOND = 2_500_000;

    private final Vertx vertx;
    private final ChangeFeed feed;
    private final NearCache near;
    private final SnapshotStore redis;
    private final SnapshotLoader loader;
    private final CircuitBreaker gridBreaker;
    private final CircuitBreaker loadBreaker;

    /** The snapshots that are newer than those in the near cache, kept until it catches up. */
    private final Cache<UnitId, Snapshot> ahead;

    /**
     * The newest known snapshot of each unit, on edges only. It is the last resort when the near cache has dropped a
     * unit and no core node is reachable. Core nodes have Redis and PostgreSQL instead.
     */
    private final Cache<UnitId, Snapshot> held;

    private final boolean holds;

    /** The units whose load failed within the last moment. */
    private final Cache<UnitId, Boolean> failedLoads = Caffeine.newBuilder()
            .maximumSize(10_000)
            .expireAfterWrite(Duration.ofMillis(500))
            .build();

    private final Map<UnitId, Flight> flights = new ConcurrentHashMap<>();
    private final Map<UnitId, Offering> offering = new ConcurrentHashMap<>();
    private final LargeUnits large;
    private final Map<Tier, Counter> hits;
    private final Counter loadFailures;

    /** The tier that a snapshot came from. */
    enum Tier {
        NEAR,
        AHEAD,
        GRID,
        REDIS,
        LOADED,
        EMPTY
    }

    /**
     * The last snapshot that the near cache returned for a unit. It is kept with the unit and saves a lookup in the
     * near cache. The weak reference keeps nothing alive that the near cache has dropped. Every {@link #ASK_EVERY}th
     * read still asks the near cache, which would otherwise evict the entry as unused.
     */
    private static final class LastRead extends WeakReference<Snapshot> {
        private static final int ASK_EVERY = 64;

        // not synchronized: a lost increment only delays the next lookup in the near cache
        private int reads;

        LastRead(Snapshot snapshot) {
            super(snapshot);
        }

        @Nullable
        Snapshot asOf(Position need) {
            Snapshot snapshot = get();
            return snapshot != null
                            && ++reads % ASK_EVERY != 0
                            && snapshot.asOf().compareTo(need) >= 0
                    ? snapshot
                    : null;
        }
    }

    /** A load in progress. Its result contains everything that this node knew when the load began. */
    private record Flight(Position needed, Future<Snapshot> result) {}

    /**
     * Creates a cache that follows the feed only after {@link #start}.
     *
     * @param held the size of the snapshots to keep for the time when no core node is reachable, in bytes; 0 for none
     */
    public SnapshotCache(
            Vertx vertx,
            ChangeFeed feed,
            NearCache near,
            SnapshotStore redis,
            SnapshotLoader loader,
            LargeUnits large,
            long held,
            CacheSettings settings,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.feed = feed;
        this.near = near;
        this.redis = redis;
        this.loader = loader;
        this.large = large;
        this.holds = held > 0;
        this.held = Caffeine.newBuilder()
                .maximumWeight(held)
                .weigher((UnitId unit, Snapshot snapshot) -> snapshot.bytes())
                .build();
        this.ahead = Caffeine.newBuilder()
                .maximumWeight(settings.aheadBytes())
                .weigher((UnitId unit, Snapshot snapshot) -> snapshot.bytes())
                .expireAfterWrite(Duration.ofSeconds(10))
                .build();
        Gauge.builder("config_service_cache_bytes", near, NearCache::bytes)
                .description("Estimated size of the snapshots that this node keeps in memory")
                .tag("part", "near")
                .register(meters);
        Gauge.builder("config_service_cache_bytes", ahead, SnapshotCache::weight)
                .description("Estimated size of the snapshots that this node keeps in memory")
                .tag("part", "ahead")
                .register(meters);
        this.gridBreaker = breaker("grid", GRID_DEADLINE);
        this.loadBreaker = breaker(loader.name(), LOAD_DEADLINE);
        this.hits = new java.util.EnumMap<>(Tier.class);
        for (Tier tier : Tier.values()) {
            hits.put(
                    tier,
                    Counter.builder("config_service_snapshot_reads")
                            .description("Snapshots read, by the tier that answered")
                            .tag(
                                    "tier",
                                    tier == Tier.LOADED
                                            ? loader.name()
                                            : tier.name().toLowerCase(java.util.Locale.ROOT))
                            .register(meters));
        }
        this.loadFailures = Counter.builder("config_service_snapshot_failures")
                .description("Reads of snapshots that no tier could answer")
                .register(meters);
    }

    /** Returns the weight of what a cache holds, for metrics. */
    public static double weight(Cache<?, ?> cache) {
        return cache.policy()
                .eviction()
                .map(e -> (double) e.weightedSize().orElse(0))
                .orElse(0.0);
    }

    /** Starts to follow the feed. */
    public void start() {
        feed.addListener(this);
        vertx.setPeriodic(1000, t -> {
            if (!feed.staleness().isZero()) {
                offerWaiting();
            }
        });
    }

    private CircuitBreaker breaker(String name, Duration deadline) {
        return CircuitBreaker.create(
                name,
                vertx,
                new CircuitBreakerOptions()
                        .setMaxFailures(5)
                        .setTimeout(deadline.toMillis())
                        .setResetTimeout(500)
                        .setNotificationAddress(null));
    }

    /**
     * Returns the snapshot of a unit, as new as the changes that this node has applied. While PostgreSQL is
     * unreachable it may be older; it is then marked as outdated. Fails with {@link ErrorCode#BEHIND} if an outdated
     * snapshot is older than {@code minRevision}, and with {@link ErrorCode#UNAVAILABLE} if no tier has a snapshot.
     */
    public Future<Snapshot> get(UnitId unit, long minRevision) {
        if (!feed.isStarted()) {
            return Future.failedFuture(ServiceException.unavailable("This node has not read the log yet"));
        }
        Position applied = feed.applied();
        TouchedUnit touched = feed.touched(unit);
        if (touched == null) {
            count(Tier.EMPTY);
            return Future.succeededFuture(Snapshot.empty(unit, applied, feed.emptySince(unit)));
        }
        Position need = new Position(applied.epoch(), touched.revision());
        if (touched.lastRead() instanceof LastRead last) {
            Snapshot known = last.asOf(need);
            if (known != null) {
                count(Tier.NEAR);
                return Future.succeededFuture(known);
            }
        }
        // most of the time the map is empty: checking for that is cheaper than a lookup
        Snapshot newer = ahead.asMap().isEmpty() ? null : ahead.getIfPresent(unit);
        if (newer != null) {
            Snapshot current = newer.asOf().compareTo(need) >= 0 ? newer : patch(newer, need);
            if (current != null) {
                count(Tier.AHEAD);
                return Future.succeededFuture(current);
            }
        }
        CompletableFuture<@Nullable Object> stage = nearOrGrid(touched);
        if (stage != null && stage.isDone() && !stage.isCompletedExceptionally()) {
            Snapshot found = NearCache.snapshotOf(unit, stage.getNow(null));
            if (found != null && found.parseIfSmall()) {
                if (found.asOf().compareTo(need) >= 0) {
                    count(Tier.NEAR);
                    near.used(touched.gridKey(), found);
                    touched.lastRead(new LastRead(found));
                    return Future.succeededFuture(found);
                }
                Snapshot patched = patch(found, need);
                if (patched != null) {
                    count(Tier.AHEAD);
                    return Future.succeededFuture(patched);
                }
            }
        }
        return load(touched, need, stage, minRevision);
    }

    /**
     * Tells whether there is one revision of which both snapshots are, as far as this node has applied the log. If not, a
     * change set came between the two reads, and they must be read again.
     */
    public boolean agree(Snapshot a, Snapshot b) {
        long at = Math.max(a.lastChange(), b.lastChange());
        if (a.isOutdated()
                || b.isOutdated()
                || (a.asOf().revision() >= at && b.asOf().revision() >= at)) {
            return true;
        }
        // the units of a set are touched before the head moves: who looks at them only after the head is there, sees
        // all
        return feed.applied().revision() >= at && holdsAt(a, at) && holdsAt(b, at);
    }

    /** Tells whether a snapshot is the state of its unit at a revision, too. */
    private boolean holdsAt(Snapshot snapshot, long at) {
        if (snapshot.asOf().revision() >= at) {
            return true;
        }
        TouchedUnit touched = feed.touched(snapshot.unit());
        long last = touched == null ? feed.emptySince(snapshot.unit()) : touched.revision();
        return last <= snapshot.lastChange();
    }

    /**
     * Returns the snapshots of units, as {@link #get} does, but all of one revision. Fails with {@link
     * ErrorCode#UNAVAILABLE} if change sets come too fast for that.
     */
    public Future<List<Snapshot>> together(List<UnitId> units, long minRevision) {
        return together(units, minRevision, Long.MAX_VALUE);
    }

    /**
     * Does the same, and fails with {@link ErrorCode#TOO_LARGE} as soon as what was read is larger together than {@code
     * maxBytes}, by its estimate.
     */
    public Future<List<Snapshot>> together(List<UnitId> units, long minRevision, long maxBytes) {
        return together(units, minRevision, maxBytes, 1);
    }

    private Future<List<Snapshot>> together(List<UnitId> units, long minRevision, long maxBytes, int tries) {
        return Futures.then(each(units, minRevision, maxBytes, new ArrayList<>(units.size())), found -> {
            Snapshot newest = found.get(0);
            for (Snapshot s : found) {
                newest = s.lastChange() > newest.lastChange() ? s : newest;
            }
            Snapshot last = newest;
            if (found.stream().allMatch(s -> agree(s, last))) {
                return Future.succeededFuture(found);
            }
            return tries < TOGETHER_TRIES
                    ? feed.awaitApplied(last.lastChange(), APPLIED_DEADLINE)
                            .compose(v -> together(units, minRevision, maxBytes, tries + 1))
                    : Future.failedFuture(ServiceException.unavailable(
                            "What is asked for changes faster than it can be read together"));
        });
    }

    private Future<List<Snapshot>> each(List<UnitId> units, long minRevision, long leftBytes, List<Snapshot> found) {
        return found.size() == units.size()
                ? Future.succeededFuture(found)
                : Futures.then(get(units.get(found.size()), minRevision), snapshot -> {
                    long left = leftBytes - snapshot.bytes();
                    if (left < 0) {
                        return Future.failedFuture(
                                new ServiceException(ErrorCode.TOO_LARGE, "It is too much to be read at once"));
                    }
                    found.add(snapshot);
                    return each(units, minRevision, left, found);
                });
    }

    private @Nullable CompletableFuture<@Nullable Object> nearOrGrid(TouchedUnit touched) {
        try {
            return near.get(touched.gridKey()).toCompletableFuture();
        } catch (RuntimeException e) {
            log.debug("grid.unreachable cause={}", e.toString());
            return null;
        }
    }

    /** Brings a snapshot up to date from the recent changes in memory. Returns null if they do not suffice. */
    private @Nullable Snapshot patch(Snapshot old, Position need) {
        if (old.asOf().epoch() != need.epoch()) {
            return null;
        }
        Position applied = feed.applied();
        List<Change> changes = feed.recent().ofUnit(old.unit(), old.asOf().revision());
        if (changes == null || applied.epoch() != need.epoch()) {
            return null;
        }
        long last = changes.isEmpty()
                ? old.asOf().revision()
                : changes.get(changes.size() - 1).revision();
        if (last < need.revision()) {
            return null;
        }
        // what was applied before the changes were read is among them
        Snapshot patched = old.patched(changes, new Position(need.epoch(), Math.max(last, applied.revision())));
        keepAhead(patched);
        return patched;
    }

    private void keepAhead(Snapshot snapshot) {
        hold(snapshot);
        ahead.asMap().merge(snapshot.unit(), snapshot, (a, b) -> a.asOf().compareTo(b.asOf()) >= 0 ? a : b);
    }

    /**
     * Loads a unit. There is at most one load of a unit at a time. A read joins the running load if everything that the
     * read needs was known when that load began. Otherwise it waits for that load to end and then starts the next one,
     * which other reads join. This limits the number of loads of a unit that is written without pause.
     */
    private Future<Snapshot> load(
            TouchedUnit touched, Position need, @Nullable CompletableFuture<@Nullable Object> grid, long minRevision) {
        UnitId unit = touched.unit();
        Promise<Snapshot> promise = Promise.promise();
        Flight mine = new Flight(need, promise.future());
        Flight running = flights.putIfAbsent(unit, mine);
        if (running != null) {
            if (running.needed().compareTo(need) >= 0) {
                return running.result().compose(s -> allowed(s, minRevision));
            }
            return running.result().transform(done -> {
                if (done.succeeded() && done.result().asOf().compareTo(need) >= 0) {
                    return allowed(done.result(), minRevision);
                }
                return load(touched, need, null, minRevision);
            });
        }
        climb(touched, need, grid).onComplete(done -> {
            flights.remove(unit, mine);
            promise.handle(done);
        });
        return promise.future().compose(s -> allowed(s, minRevision));
    }

    private void hold(Snapshot snapshot) {
        if (holds) {
            held.asMap().merge(snapshot.unit(), snapshot, (a, b) -> a.asOf().compareTo(b.asOf()) > 0 ? a : b);
        }
    }

    private static Future<Snapshot> allowed(Snapshot snapshot, long minRevision) {
        if (snapshot.isOutdated() && minRevision > snapshot.asOf().revision()) {
            return Future.failedFuture(new ServiceException(
                    ErrorCode.BEHIND,
                    "The log is unreachable; this node has the state as of revision "
                            + snapshot.asOf().revision()));
        }
        return Future.succeededFuture(snapshot);
    }

    /** Asks the grid, Redis and the loader in turn. If the loader fails, returns the newest snapshot found before. */
    private Future<Snapshot> climb(
            TouchedUnit touched, Position need, @Nullable CompletableFuture<@Nullable Object> grid) {
        Best best = new Best(need);
        return fromGrid(touched, grid)
                .compose(s -> {
                    if (s != null) {
                        near.used(touched.gridKey(), s);
                    }
                    return best.take(s, Tier.GRID)
                            ? Future.succeededFuture()
                            : quietly(() -> redis.get(touched.unit()).compose(this::parsed))
                                    .map(r -> {
                                        best.take(r, Tier.REDIS);
                                        return null;
                                    });
                })
                .compose(v -> best.isEnough() ? Future.succeededFuture(best.get()) : fromLog(touched, best));
    }

    private final class Best {
        private final Position need;
        private @Nullable Snapshot snapshot;
        /** One that is too old, for the case that the log is unreachable. Many that wait for it must not fill the heap. */
        private @Nullable SoftReference<Snapshot> older;

        private Tier tier = Tier.EMPTY;

        Best(Position need) {
            this.need = need;
        }

        /**
         * Keeps a snapshot if it is the newest so far, after bringing it up to date if possible. Tells whether
         * the newest one is new enough.
         */
        boolean take(@Nullable Snapshot found, Tier from) {
            if (found == null || found.asOf().epoch() != need.epoch()) {
                return isEnough();
            }
            Snapshot s = found;
            if (s.asOf().compareTo(need) < 0) {
                Snapshot patched = patch(s, need);
                s = patched == null ? s : patched;
            }
            Snapshot known = old();
            if (known == null || s.asOf().compareTo(known.asOf()) > 0) {
                snapshot = s;
                tier = from;
            }
            return isEnough();
        }

        boolean isEnough() {
            return snapshot != null && snapshot.asOf().compareTo(need) >= 0;
        }

        /** Holds what is too old only as long as there is room for it, while the log is asked. */
        void waits() {
            Snapshot s = snapshot;
            older = s == null ? null : new SoftReference<>(s);
            snapshot = null;
        }

        @Nullable
        Snapshot old() {
            return snapshot != null ? snapshot : older == null ? null : older.get();
        }

        Snapshot get() {
            count(tier);
            Snapshot s = Objects.requireNonNull(snapshot);
            if (tier == Tier.REDIS) {
                offer(s);
            }
            return s;
        }
    }

    private Future<@Nullable Snapshot> fromGrid(
            TouchedUnit touched, @Nullable CompletableFuture<@Nullable Object> asked) {
        CompletableFuture<@Nullable Object> stage = asked == null ? nearOrGrid(touched) : asked;
        if (stage == null) {
            return Future.succeededFuture(null);
        }
        if (holds) {
            // also a snapshot that arrives after the deadline: it is then in the near cache, so no later load would
            // hold it
            onCompletion(stage, (value, e) -> {
                Snapshot s = NearCache.snapshotOf(touched.unit(), value);
                if (s != null) {
                    hold(s);
                }
            });
        }
        return quietly(() -> gridBreaker
                .<@Nullable Snapshot>execute(promise -> onCompletion(stage, (value, e) -> {
                    if (e == null) {
                        promise.tryComplete(NearCache.snapshotOf(touched.unit(), value));
                    } else {
                        promise.tryFail(e);
                    }
                }))
                .compose(this::parsed));
    }

    /** Completes with a snapshot when its resources are parsed. Large ones are parsed on a worker thread. */
    private Future<@Nullable Snapshot> parsed(@Nullable Snapshot snapshot) {
        if (snapshot == null || snapshot.parseIfSmall()) {
            return Future.succeededFuture(snapshot);
        }
        return large.runBlocking(snapshot.packedLength(), () -> {
            snapshot.resources();
            return snapshot;
        });
    }

    /**
     * Loads a unit within a deadline. While the log is reachable, a unit whose load failed is not loaded again for a
     * moment, and nothing holds up the others. While it is not, most loads fail at once.
     */
    private Future<Snapshot> loaded(UnitId unit, Position need) {
        if (!feed.staleness().isZero()) {
            return loadBreaker.execute(promise -> loader.load(unit, need)
                    .compose(s -> parsed(s).map(Objects::requireNonNull))
                    .onComplete(promise));
        }
        if (failedLoads.getIfPresent(unit) != null) {
            return Future.failedFuture("its last load has just failed");
        }
        return loader.load(unit, need)
                .compose(s -> parsed(s).map(Objects::requireNonNull))
                .timeout(LARGE_LOAD_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
                .onFailure(e -> failedLoads.put(unit, true));
    }

    private Future<Snapshot> fromLog(TouchedUnit touched, Best best) {
        best.waits();
        return loaded(touched.unit(), best.need)
                .compose(
                        loaded -> {
                            if (loaded.asOf().compareTo(best.need) < 0) {
                                // either the database was restored to an earlier state, which the feed has not
                                // noticed yet, or the core node that answered is cut off from the log
                                best.take(loaded, Tier.LOADED);
                                return older(touched.unit(), best);
                            }
                            count(Tier.LOADED);
                            keepAhead(loaded);
                            offer(loaded);
                            return Future.succeededFuture(loaded);
                        },
                        e -> older(touched.unit(), best));
    }

    private Future<Snapshot> older(UnitId unit, Best best) {
        if (best.take(held.getIfPresent(unit), Tier.AHEAD)) {
            return Future.succeededFuture(best.get());
        }
        Snapshot older = best.old();
        if (older != null) {
            return Future.succeededFuture(older.asOutdated());
        }
        loadFailures.increment();
        return Future.failedFuture(ServiceException.unavailable(
                "The log is unreachable, and no tier of the cache has the requested data"));
    }

    /** Treats a tier that fails as one that has no snapshot. Health and metrics report the failure. */
    private static <T> Future<@Nullable T> quietly(Supplier<Future<@Nullable T>> tier) {
        return tier.get().recover(e -> {
            log.debug("tier.unreachable cause={}", e.toString());
            return Future.succeededFuture(null);
        });
    }

    /** Offers a newer snapshot to the grid and Redis. Never fails. Callers need not wait for the end. */
    private Future<Void> offer(Snapshot snapshot) {
        String gridKey = snapshot.asOf().epoch() + "/" + snapshot.unit().key();
        Callable<SnapshotStore.Sealed> packing = () -> {
            SnapshotStore.Sealed sealed = redis.seal(snapshot);
            try {
                near.offer(gridKey, sealed.snapshot);
            } catch (RuntimeException e) {
                log.debug("grid.unreachable cause={}", e.toString());
            }
            return sealed;
        };
        // packing a large unit would block the event loop for too long
        Future<SnapshotStore.Sealed> packed =
                snapshot.bytes() > LARGE_OFFER_BYTES ? large.first(packing) : vertx.executeBlocking(packing, false);
        return packed.compose(stored -> quietly(() -> redis.put(stored)))
                .recover(e -> {
                    log.warn("snapshot.not-offered unit={}", snapshot.unit().key(), e);
                    return Future.succeededFuture();
                })
                .mapEmpty();
    }

    /** Updates the grid's snapshot of the unit, if it has one. Only the node that owns the unit's key does so. */
    @Override
    public void applied(Change change) {
        UnitId unit = change.resource().unit();
        if (change.emptiesUnit()) {
            forget(unit, change.position().epoch());
            return;
        }
        TouchedUnit touched = feed.touched(unit);
        if (touched == null) {
            return;
        }
        if (touched.bornAt() == change.revision()) {
            born(change);
            return;
        }
        if (!near.owns(touched.gridKey())) {
            return;
        }
        Offering known = offering.get(unit);
        if (known != null) {
            known.again = true;
            return;
        }
        offerLater(touched);
    }

    private void offerLater(TouchedUnit touched) {
        Offering fresh = new Offering(touched);
        if (offering.putIfAbsent(touched.unit(), fresh) == null) {
            // delayed, because not every state of a unit that is written without pause needs to be stored
            vertx.setTimer(REFRESH_MILLIS, t -> refresh(fresh));
        }
    }

    /**
     * Drops a unit that has no resources any more from this node and the grid; Redis drops it with the position. Nobody asks
     * them for it, unless it gets some again.
     */
    private void forget(UnitId unit, long epoch) {
        String gridKey = epoch + "/" + unit.key();
        ahead.invalidate(unit);
        held.invalidate(unit);
        near.forget(gridKey);
        if (near.owns(gridKey)) {
            // later than an offer that is on its way
            vertx.setTimer(FORGET_MILLIS, t -> {
                if (feed.touched(unit) == null) {
                    near.remove(gridKey);
                }
            });
        }
    }

    /** A unit that was offered of late, or will be soon. The larger it is, the longer is the pause between two offers. */
    private static final class Offering {
        private final TouchedUnit touched;
        /** True if the unit has changed since it was offered. */
        private volatile boolean again;

        Offering(TouchedUnit touched) {
            this.touched = touched;
        }
    }

    /**
     * Offers the units whose turn has not come yet. Without this, Redis would have an older state of them when this node
     * ends or can no longer reach PostgreSQL.
     */
    public Future<Void> offerWaiting() {
        List<Future<Void>> offers = new ArrayList<>();
        for (Offering waiting : offering.values()) {
            if (waiting.again) {
                waiting.again = false;
                offers.add(refreshed(waiting.touched).mapEmpty());
            }
        }
        return Future.join(offers).mapEmpty();
    }

    /** Handles the first change of a unit. No load is needed, because the unit was empty before. */
    private void born(Change change) {
        UnitId unit = change.resource().unit();
        Snapshot first = Snapshot.of(unit, change.position(), 0, List.of()).patched(List.of(change), change.position());
        keepAhead(first);
        TouchedUnit touched = feed.touched(unit);
        if (touched != null && near.owns(touched.gridKey())) {
            offer(first);
        }
    }

    private void refresh(Offering due) {
        due.again = false;
        refreshed(due.touched).onComplete(done -> {
            long pause = REFRESH_MILLIS + done.result() * 1000 / OFFERED_BYTES_PER_SECOND;
            vertx.setTimer(pause, t -> {
                offering.remove(due.touched.unit());
                if (due.again) {
                    offerLater(due.touched);
                }
            });
        });
    }

    /**
     * Offers the last state of a unit, if the grid has an older one. Succeeds with the size of what was offered. Never
     * fails.
     */
    @SuppressWarnings("ReferenceEquality") // a unit that was emptied and written again is another object
    private Future<Long> refreshed(TouchedUnit touched) {
        if (feed.touched(touched.unit()) != touched) {
            return Future.succeededFuture(0L);
        }
        Position need = new Position(feed.applied().epoch(), touched.revision());
        Future<Long> offered = fromGrid(touched, null).compose(held -> {
            // a large one may not be in the grid for want of room
            Snapshot newer = ahead.getIfPresent(touched.unit());
            Snapshot known = held == null ? newer : held;
            if (known == null || (held != null && held.asOf().compareTo(need) >= 0)) {
                return Future.succeededFuture(0L);
            }
            Snapshot patched = newer != null && newer.asOf().compareTo(need) >= 0 ? newer : patch(known, need);
            return patched == null ? Future.succeededFuture(0L) : offer(patched).map((long) patched.bytes());
        });
        return offered.otherwise(e -> {
            log.warn("snapshot.not-refreshed unit={}", touched.unit().key(), e);
            return 0L;
        });
    }

    /**
     * Runs an action on the thread that completes the stage. Without an executor, a JVM with two CPUs or fewer would
     * start a thread for each action.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the action handles the failure
    private static <T> void onCompletion(CompletableFuture<T> stage, BiConsumer<? super T, Throwable> action) {
        stage.whenCompleteAsync(action, Runnable::run);
    }

    @Override
    public void reset(Position position) {
        // the grid needs no cleaning: its keys contain the epoch, so nobody reads the old snapshots any more
        ahead.invalidateAll();
    }

    private void count(Tier tier) {
        Counter counter = hits.get(tier);
        if (counter != null) {
            counter.increment();
        }
    }
}
