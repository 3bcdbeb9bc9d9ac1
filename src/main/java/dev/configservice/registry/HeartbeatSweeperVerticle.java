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
 * Ends the leases of this member's partitions that are overdue. What ends in one sweep is one batch of writes. It holds
 * back, and says so, where it may be the one that is wrong: cut off from the log or from another live node, or when more
 * of all instances would go at once than is likely to be true.
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
                .description("Leases whose end this node decided")
                .register(meters);
        this.protections = Counter.builder("config_service_registry_protections")
                .description("How often this node began to hold expiry back")
                .register(meters);
        this.protectionsEnded = Counter.builder("config_service_registry_protections_ended")
                .description("How often this node went on with expiry after it had held it back")
                .register(meters);
        this.sweeps = Timer.builder("config_service_lease_sweeps")
                .description("How long a sweep for overdue leases takes")
                .register(meters);
        Gauge.builder(
                        "config_service_registry_protected",
                        registry,
                        r -> r.protection().isOwn() ? 1 : 0)
                .description("Whether this node holds expiry back")
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
                .onFailure(e -> log.debug("registry.touch-failed cause={}", e.toString()));
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

    /** After a start or a change of ownership: leases that were lost are made again, and all get their whole time. */
    private Future<Void> prepare() {
        Future<Void> extended = Future.succeededFuture();
        if (extendDue) {
            extendDue = false;
            extended = extended.compose(v -> leases.extendLocal()).onFailure(e -> extendDue = true);
        }
        if (!reconcileDue) {
            return extended;
        }
        reconcileDue = false;
        return extended.compose(v -> reconcile()).onFailure(e -> reconcileDue = true);
    }

    /** Instances without a lease get one with its whole time; leases without an instance go. */
    Future<Void> reconcile() {
        return leases.local()
                .compose(held -> Futures.here(registry.all(0)).compose(services -> {
                    Set<String> gone = new HashSet<>(held);
                    List<LeaseHolder> missing = new ArrayList<>();
                    for (Registry.Instances service : services) {
                        for (Instance instance : service.list()) {
                            String key = instance.key();
                            if (!gone.remove(key) && !held.contains(key) && leases.owns(key)) {
                                missing.add(instance.holder());
                            }
                        }
                    }
                    if (cutOff() == null) {
                        // one that another node has just registered may not be known here yet: what is gone at two
                        // looks goes
                        gone.stream().filter(goneBefore::contains).forEach(leases::remove);
                        goneBefore = gone;
                    }
                    return leases.ensure(missing);
                }));
    }

    /** One look for overdue leases. */
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
                            // of a large fleet this takes longer than an event loop may
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
        return missing.isEmpty() ? null : "this node does not see another live node";
    }

    private static MassExpiry.Fleet fleet(Set<String> overdue, List<Registry.Instances> services) {
        int live = 0;
        int going = 0;
        Duration longestLease = Duration.ZERO;
        for (Registry.Instances service : services) {
            for (Instance i : service.list()) {
                boolean counts = i.status() != Status.UNHEALTHY;
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
        List<Future<Void>> writes = overdue.stream()
                .limit(Math.min(decision.mayEnd(), MAX_IN_SWEEP))
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
                                return leases.remove(key);
                            }
                            // the log has a later decision than this lease: decide again, above it
                            return known > generation
                                    ? leases.restore(key, generation, known, removal)
                                    : Future.succeededFuture();
                        },
                        e -> e instanceof ServiceException s && s.code() == ErrorCode.NOT_FOUND
                                ? leases.remove(key)
                                : leases.restore(key, generation, 0, removal));
    }

    private void protect(@Nullable String reason) {
        boolean changes = registry.protection().set(reason);
        if (changes && reason != null) {
            protections.increment();
            log.warn("registry.protected reason={}", reason);
        } else if (changes) {
            protectionsEnded.increment();
            log.info("registry.protection-over");
        }
    }
}
