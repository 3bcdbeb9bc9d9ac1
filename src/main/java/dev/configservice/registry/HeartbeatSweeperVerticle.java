package dev.configservice.registry;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.postgres.Postgres;
import dev.configservice.registry.lease.LeaseHolder;
import dev.configservice.registry.lease.LeaseResult;
import dev.configservice.registry.lease.Leases;
import dev.configservice.settings.RegistrySettings;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sweeper that lets overdue leases expire, in the partitions of this cluster member. All leases that expire in one
 * sweep are written as one batch.
 *
 * <p>The sweeper holds expiry back, and reports it, when this node itself may be at fault. That is the case when the
 * node is cut off from the log or from another live node, or when an unlikely share of all instances would expire at
 * once.
 */
public final class HeartbeatSweeperVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(HeartbeatSweeperVerticle.class);
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final Duration TOUCH_EVERY = Duration.ofSeconds(2);
    private static final Duration RECONCILE_EVERY = Duration.ofMinutes(5);
    private static final int MAX_IN_SWEEP = 2000;

    private static final String TOUCH = """
            insert into nodes (id, seen_at) values ($1, now()) on conflict (id) do update set seen_at = now()""";
    private static final String LIVE_NODES = "select id from nodes where seen_at > now() - interval '6 seconds'";
    private static final String LEAVE = "delete from nodes where id = $1 or seen_at < now() - interval '1 hour'";

    private final Registry registry;
    private final Leases leases;
    private final ChangeFeed feed;
    private final Postgres postgres;
    private final Counter expired;
    private final Counter protections;
    private final Counter protectionsEnded;
    private final Timer sweeps;

    private final MassExpiry massExpiry;
    private Set<UUID> liveNodes = Set.of();
    private boolean busy;
    private boolean reconcileDue = true;
    private boolean extendDue;
    private Set<String> goneBefore = Set.of();

    public HeartbeatSweeperVerticle(
            Registry registry,
            Leases leases,
            ChangeFeed feed,
            Postgres postgres,
            RegistrySettings settings,
            MeterRegistry meters) {
        this.registry = registry;
        this.leases = leases;
        this.feed = feed;
        this.postgres = postgres;
        this.massExpiry = new MassExpiry(settings.protectionThreshold(), settings.protectionMaxLeases());
        this.expired = Counter.builder("config_service_leases_expired")
                .description("Leases that this node expired")
                .register(meters);
        this.protections = Counter.builder("config_service_registry_protections")
                .description("Times that this node started to hold expiry back")
                .register(meters);
        this.protectionsEnded = Counter.builder("config_service_registry_protections_ended")
                .description("Times that this node resumed expiry after holding it back")
                .register(meters);
        this.sweeps = Timer.builder("config_service_lease_sweeps")
                .description("Duration of a sweep for overdue leases")
                .register(meters);
        Gauge.builder(
                        "config_service_registry_protected",
                        registry,
                        r -> r.protection().isOwn() ? 1 : 0)
                .description("1 while this node holds expiry back, otherwise 0")
                .register(meters);
    }

    @Override
    public Future<?> start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (change.action() == Action.EXPIRED) {
                    context.runOnContext(v -> massExpiry.ended(leases.now()));
                }
            }
        });
        leases.onOwnershipChange(() -> context.runOnContext(v -> {
            extendDue = true;
            reconcileDue = true;
        }));
        vertx.setPeriodic(EVERY.toMillis(), t -> tick());
        vertx.setPeriodic(TOUCH_EVERY.toMillis(), t -> touch());
        vertx.setPeriodic(RECONCILE_EVERY.toMillis(), t -> reconcileDue = true);
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        return postgres.read(LEAVE, Tuple.of(leases.self())).otherwiseEmpty();
    }

    private void touch() {
        postgres.read(TOUCH, Tuple.of(leases.self()))
                .compose(v -> postgres.read(LIVE_NODES, Tuple.tuple()))
                .onSuccess(rows -> {
                    Set<UUID> live = new HashSet<>();
                    for (Row row : rows) {
                        live.add(row.getUUID("id"));
                    }
                    liveNodes = live;
                })
                .onFailure(e -> log.debug("registry.live-nodes-not-updated cause={}", e.toString()));
    }

    private void tick() {
        if (busy || !feed.isStarted()) {
            return;
        }
        busy = true;
        massExpiry.forgetOld(leases.now());
        Futures.here(prepare().compose(v -> sweep())).onComplete(done -> {
            busy = false;
            if (done.failed()) {
                log.warn("registry.sweep-failed cause={}", done.cause().toString());
            }
        });
    }

    /**
     * Prepares the leases for a sweep. After a change of ownership, the leases that changed hands get their full duration
     * again. After a start, a change of ownership, and from time to time, leases and instances are reconciled.
     */
    private Future<Void> prepare() {
        Future<Void> extended = Future.succeededFuture();
        if (extendDue) {
            extendDue = false;
            extended = extended.compose(v -> leases.extendNewTables()).onFailure(e -> extendDue = true);
        }
        if (!reconcileDue) {
            return extended;
        }
        reconcileDue = false;
        return extended.compose(v -> reconcile()).onFailure(e -> reconcileDue = true);
    }

    /** Creates a lease of full duration for each instance without one, and removes leases without an instance. */
    Future<Void> reconcile() {
        return leases.local()
                .compose(held -> Futures.here(registry.all(0)).compose(services -> {
                    Set<String> gone = new HashSet<>(held);
                    List<LeaseHolder> missing = new ArrayList<>();
                    for (Registry.Instances service : services) {
                        for (Instance instance : service.list()) {
                            String key = instance.key();
                            if (instance.isPermanent()) {
                                continue;
                            }
                            if (!gone.remove(key) && !held.contains(key) && leases.owns(key)) {
                                missing.add(instance.holder());
                            }
                        }
                    }
                    if (cutOff() == null) {
                        // an instance that another node has just registered may not be known here yet, so a lease is
                        // removed only after two reconciliations in a row found no instance for it
                        gone.stream().filter(goneBefore::contains).forEach(key -> leases.remove(key, Long.MAX_VALUE));
                        goneBefore = gone;
                    }
                    return leases.ensure(missing);
                }));
    }

    /** Lets the leases expire that are overdue now, unless expiry is held back. */
    Future<Void> sweep() {
        long started = System.nanoTime();
        return leases.overdue().compose(overdue -> {
            sweeps.record(System.nanoTime() - started, TimeUnit.NANOSECONDS);
            if (overdue.isEmpty()) {
                massExpiry.nothingOverdue();
                protect(null);
                return Future.succeededFuture();
            }
            String cutOff = cutOff();
            if (cutOff != null) {
                protect(cutOff);
                return Future.succeededFuture();
            }
            return leases.overdueEverywhere()
                    .compose(everywhere -> Futures.here(registry.all(0))
                            // for a large fleet this would block the event loop for too long
                            .compose(services -> vertx.executeBlocking(() -> fleet(everywhere, services), false)))
                    .compose(fleet -> expire(overdue, fleet));
        });
    }

    private @Nullable String cutOff() {
        if (!feed.staleness().isZero()) {
            return "this node is cut off from the log";
        }
        Set<UUID> missing = new HashSet<>(liveNodes);
        missing.removeAll(leases.members());
        return missing.isEmpty() ? null : "this node cannot see another live node in the cluster";
    }

    private static MassExpiry.Fleet fleet(Set<String> overdue, List<Registry.Instances> services) {
        int live = 0;
        int going = 0;
        Duration longestLease = Duration.ZERO;
        for (Registry.Instances service : services) {
            for (Instance i : service.list()) {
                boolean counts = !i.isExpired() && !i.isPermanent();
                live += counts ? 1 : 0;
                if (overdue.contains(i.key())) {
                    going += counts ? 1 : 0;
                    longestLease = longestLease.compareTo(i.lease()) >= 0 ? longestLease : i.lease();
                }
            }
        }
        return new MassExpiry.Fleet(live, going, longestLease);
    }

    private Future<Void> expire(Set<String> overdue, MassExpiry.Fleet fleet) {
        MassExpiry.Decision decision = massExpiry.decide(leases.now(), fleet);
        protect(decision.heldBack());
        int mayEnd = decision.heldBack() == null
                ? decision.mayEnd()
                : MassExpiry.share(decision.mayEnd(), leases.members(), leases.self());
        List<Future<Void>> writes = overdue.stream()
                .limit(Math.min(mayEnd, MAX_IN_SWEEP))
                .map(this::end)
                .toList();
        return Future.join(writes).otherwiseEmpty().mapEmpty();
    }

    private Future<Void> end(String key) {
        return leases.expire(key).compose(result -> {
            if (result instanceof LeaseResult.Decided decided) {
                return end(key, decided.generation(), false);
            }
            return result instanceof LeaseResult.Removed removed
                    ? end(key, removed.generation(), true)
                    : Future.succeededFuture();
        });
    }

    private Future<Void> end(String key, long generation, boolean removal) {
        return registry.expired(LeaseHolder.serviceName(key), LeaseHolder.instanceId(key), generation, removal)
                .compose(
                        written -> {
                            expired.increment();
                            long known = written.resource().fence();
                            if (removal && known == generation) {
                                return leases.remove(key, generation);
                            }
                            // the log has a later decision than this lease, so decide again with a higher generation
                            if (known > generation) {
                                return leases.restore(key, generation, known, removal);
                            }
                            Duration after = Instance.of(written.resource()).removeAfter();
                            return after == null ? Future.succeededFuture() : leases.retire(key, after, generation);
                        },
                        e -> e instanceof ServiceException s && s.code() == ErrorCode.NOT_FOUND
                                ? leases.remove(key, generation)
                                : leases.restore(key, generation, 0, removal));
    }

    private void protect(@Nullable String reason) {
        boolean changes = registry.protection().set(reason);
        if (changes && reason != null) {
            protections.increment();
            log.warn("registry.protection-started reason={}", reason);
        } else if (changes) {
            protectionsEnded.increment();
            log.info("registry.protection-ended");
        }
    }
}
