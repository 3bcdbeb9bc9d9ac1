package dev.configservice.registry.lease;

import com.hazelcast.cluster.Member;
import com.hazelcast.config.Config;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MergePolicyConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.map.IMap;
import dev.configservice.vertx.Futures;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leases of all instances, in the grid. They are kept in a fixed number of tables, each with one backup. All leases
 * of one service are in the same table. Heartbeats for one table that arrive at about the same time share one grid
 * operation, so each costs only a small part of it.
 */
public final class Leases {
    private static final Logger log = LoggerFactory.getLogger(Leases.class);
    private static final String MAP = "lease-tables";
    /** The number of tables. It must be the same on all nodes, because the table of a service depends on it. */
    private static final int TABLES = 16;

    private static final int ENSURED_AT_ONCE = 1000;

    private final Vertx vertx;
    private final HazelcastInstance hazelcast;
    private final IMap<Integer, LeaseTable> map;
    private final LeaseClock clock;
    private final Gathered beats = new Gathered();
    /** The tables of this member whose leases it has extended since they came to it. */
    private volatile Set<Integer> extended = Set.of();

    public Leases(Vertx vertx, HazelcastInstance hazelcast, LeaseClock clock) {
        this.vertx = vertx;
        this.hazelcast = hazelcast;
        this.clock = clock;
        this.map = hazelcast.getMap(MAP);
    }

    /** Adds the configuration of the map to that of a node. */
    public static void configure(Config config, LeaseClock clock) {
        clock.configure(config);
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new LeaseTable.Serializer())
                .addSerializer(new LeaseSteps.Serializer())
                .addSerializer(new LeaseResults.Serializer())
                .addSerializer(new LeaseQuery.Serializer());
        config.addMapConfig(new MapConfig(MAP)
                .setBackupCount(1)
                // tables are changed in place; the map must have no index, or the grid would copy a table at each step
                .setInMemoryFormat(InMemoryFormat.OBJECT)
                .setMergePolicyConfig(new MergePolicyConfig(LeaseMerge.class.getName(), 100)));
    }

    /** Returns the number of the table that holds a lease. */
    private static int table(String key) {
        int hash = LeaseHolder.serviceName(key).hashCode();
        return Math.floorMod(hash ^ (hash >>> 16), TABLES);
    }

    /** Returns the time of the lease clock, in milliseconds. */
    public long now() {
        return clock.millis();
    }

    /**
     * Renews a lease. The renewal waits a moment for others: each grid operation wakes a thread of the grid and then an
     * event loop, which is too much for a single renewal.
     *
     * @param decides whether the heartbeat changes the instance's status, so that it must be written to the log
     */
    public Future<LeaseResult> beat(LeaseHolder holder, boolean decides) {
        return beats.add(new Asked(renewal(holder, decides), loop()));
    }

    /** Returns the context that all callers on this event loop share. */
    private ContextInternal loop() {
        return ((ContextInternal) vertx.getOrCreateContext()).unwrap();
    }

    /** Renews a lease without waiting. Renewals that are still waiting are sent first. */
    public Future<LeaseResult> renew(LeaseHolder holder, boolean decides) {
        beats.flush();
        return step(holder.key(), renewal(holder, decides));
    }

    private static LeaseStep.Beat renewal(LeaseHolder holder, boolean decides) {
        return new LeaseStep.Beat(holder.key(), holder.lease().toMillis(), holder.generation(), decides);
    }

    /**
     * A heartbeat that waits, the table of its lease, and the promise of its result. The table is computed while the key
     * is at hand: when the heartbeats are sent, each of them has left the caches of the processor.
     */
    private static final class Asked {
        private final LeaseStep.Beat step;
        private final int table;
        private final Context context;
        private final Promise<LeaseResult> answer = Promise.promise();
        private volatile @Nullable AsyncResult<LeaseResult> result;

        Asked(LeaseStep.Beat step, Context context) {
            this.step = step;
            this.table = table(step.key());
            this.context = context;
        }

        /** Gives the caller the result if there is one. Further calls have no effect. */
        void settle() {
            AsyncResult<LeaseResult> known = result;
            if (known != null && known.succeeded()) {
                answer.tryComplete(known.result());
            } else if (known != null) {
                answer.tryFail(known.cause());
            }
        }
    }

    /**
     * The waiting heartbeats of all event loops, which go to the grid together. A timer looks at them every
     * {@link #LOOK_MILLIS} milliseconds. They are sent when {@link #MAX} are waiting, after {@link #LOOKS} looks, or
     * when none arrived since the last look.
     */
    private final class Gathered {
        private static final int MAX = 512;
        private static final long LOOK_MILLIS = 20;
        private static final int LOOKS = 5;

        private List<Asked> waiting = new ArrayList<>(MAX);
        private boolean watched;
        private int seen;
        private int looks;

        Future<LeaseResult> add(Asked beat) {
            List<Asked> full = List.of();
            boolean watch;
            synchronized (this) {
                waiting.add(beat);
                watch = !watched;
                if (watch) {
                    watched = true;
                    seen = waiting.size();
                }
                if (waiting.size() == MAX) {
                    full = take();
                }
            }
            if (watch) {
                vertx.setTimer(LOOK_MILLIS, t -> look());
            }
            submit(full);
            return beat.answer.future();
        }

        private void look() {
            List<Asked> due = List.of();
            boolean again = false;
            synchronized (this) {
                if (waiting.size() == seen || ++looks == LOOKS) {
                    due = take();
                    watched = false;
                } else {
                    seen = waiting.size();
                    again = true;
                }
            }
            if (again) {
                vertx.setTimer(LOOK_MILLIS, t -> look());
            }
            submit(due);
        }

        void flush() {
            List<Asked> due;
            synchronized (this) {
                due = waiting.isEmpty() ? List.of() : take();
            }
            submit(due);
        }

        private List<Asked> take() {
            List<Asked> taken = waiting;
            waiting = new ArrayList<>(MAX);
            looks = 0;
            seen = 0;
            return taken;
        }
    }

    /** Sends heartbeats to the grid, in one operation for each table. */
    private void submit(List<Asked> together) {
        if (together.isEmpty()) {
            return;
        }
        Map<Integer, List<Asked>> byTable = together.stream().collect(Collectors.groupingBy(a -> a.table));
        Answers answers = new Answers(together, byTable.size());
        byTable.forEach((table, asked) -> at(
                        table, new LeaseSteps(asked.stream().map(a -> a.step).toList()))
                .onComplete(done -> {
                    for (int i = 0; i < asked.size(); i++) {
                        asked.get(i).result = done.succeeded()
                                ? Future.succeededFuture(done.result().get(i))
                                : Future.failedFuture(done.cause());
                    }
                    answers.arrived();
                }));
    }

    /**
     * The answers to heartbeats that were sent together. They are given together, too, in one task for each event loop:
     * waking an event loop for each answer costs more than the answer. If a table takes long, the others do not wait
     * for it.
     */
    private final class Answers {
        private static final long PATIENCE_MILLIS = 50;

        private final List<Asked> asked;
        private final AtomicInteger open;
        private volatile boolean late;

        Answers(List<Asked> asked, int tables) {
            this.asked = asked;
            this.open = new AtomicInteger(tables);
            vertx.setTimer(PATIENCE_MILLIS, t -> {
                if (open.get() > 0) {
                    late = true;
                    give();
                }
            });
        }

        void arrived() {
            if (open.decrementAndGet() == 0 || late) {
                give();
            }
        }

        private void give() {
            Map<Context, List<Asked>> byLoop = asked.stream().collect(Collectors.groupingBy(a -> a.context));
            byLoop.forEach((context, mine) -> context.runOnContext(v -> mine.forEach(Asked::settle)));
        }
    }

    /** Lets a lease expire if it is still overdue. */
    public Future<LeaseResult> expire(String key) {
        return step(key, new LeaseStep.Expire(key));
    }

    /**
     * Sets when an instance whose lease has expired will be removed. If that fails, it is removed after ten leases.
     *
     * @param generation the generation of the expiry
     */
    public Future<Void> retire(String key, Duration removal, long generation) {
        return step(key, new LeaseStep.Retire(key, removal.toMillis(), generation))
                .onFailure(e -> log.debug("registry.lease-not-retired cause={}", e.toString()))
                .otherwiseEmpty()
                .mapEmpty();
    }

    /**
     * Makes a lease overdue again, because its expiry could not be written to the log.
     *
     * @param atLeast the generation that the next decision must exceed
     */
    public Future<Void> restore(String key, long generation, long atLeast, boolean wasExpired) {
        return step(key, new LeaseStep.Restore(key, generation, atLeast, wasExpired))
                .mapEmpty();
    }

    /**
     * Creates a lease of full duration for each instance without one. It proceeds in parts, so that heartbeats get
     * their turn in between.
     */
    public Future<Void> ensure(List<LeaseHolder> holders) {
        return Futures.here(vertx.executeBlocking(() -> parts(holders), false)
                .compose(parts -> {
                    Future<LeaseResults> done = Future.succeededFuture();
                    for (List<LeaseStep.Ensure> part : parts) {
                        done = done.compose(v -> at(table(part.get(0).key()), new LeaseSteps(part)));
                    }
                    return done;
                })
                .mapEmpty());
    }

    /** Returns the steps that create leases, each list for one table. This takes a while for a large fleet. */
    private static List<List<LeaseStep.Ensure>> parts(List<LeaseHolder> holders) {
        List<List<LeaseStep.Ensure>> parts = new ArrayList<>();
        holders.stream()
                .map(h -> new LeaseStep.Ensure(
                        h.key(),
                        h.lease().toMillis(),
                        h.removal() == null
                                ? h.lease().toMillis() * Lease.LEASES_TO_REMOVAL
                                : h.removal().toMillis(),
                        h.generation(),
                        h.isExpired()))
                .collect(Collectors.groupingBy(step -> table(step.key())))
                .values()
                .forEach(steps -> {
                    for (int from = 0; from < steps.size(); from += ENSURED_AT_ONCE) {
                        parts.add(steps.subList(from, Math.min(steps.size(), from + ENSURED_AT_ONCE)));
                    }
                });
        return parts;
    }

    /**
     * Removes a lease, but not that of a later registration. If that fails, the owner later finds the lease without an
     * instance and removes it.
     *
     * @param upToGeneration the generation of the last decision on the instance that is gone
     */
    public Future<Void> remove(String key, long upToGeneration) {
        return step(key, new LeaseStep.Remove(key, upToGeneration))
                .onFailure(e -> log.debug("registry.lease-not-removed cause={}", e.toString()))
                .otherwiseEmpty()
                .mapEmpty();
    }

    /**
     * Gives the leases in the tables that have come to this member their full duration. The leases in tables that it had
     * before go on: otherwise a member that comes and goes would keep all leases from ending.
     */
    public Future<Void> extendNewTables() {
        Set<Integer> owned = Set.copyOf(localTables());
        List<Integer> fresh = owned.stream().filter(t -> !extended.contains(t)).toList();
        // the same time for all tables: leases that end together are then also found overdue together
        LeaseSteps extend = new LeaseSteps(List.of(new LeaseStep.Extend(clock.millis())));
        return Futures.here(
                Future.all(fresh.stream().map(table -> at(table, extend)).toList())
                        .onSuccess(v -> extended = owned)
                        .mapEmpty());
    }

    private Future<LeaseResult> step(String key, LeaseStep step) {
        return at(table(key), new LeaseSteps(List.of(step))).map(results -> results.get(0));
    }

    /** Executes one grid operation on one table. */
    private <R> Future<R> at(int table, EntryProcessor<Integer, LeaseTable, R> processor) {
        return completed(() -> map.submitToKey(table, processor));
    }

    private static <R> Future<R> completed(Supplier<CompletionStage<R>> operation) {
        Promise<R> promise = Promise.promise();
        try {
            onCompletion(operation.get().toCompletableFuture(), (answer, e) -> {
                if (e == null) {
                    promise.complete(answer);
                } else {
                    promise.fail(e);
                }
            });
        } catch (RuntimeException e) {
            // a grid that has stopped throws instead of returning a failed future
            promise.fail(e);
        }
        return promise.future();
    }

    /**
     * Runs the action on the thread that completes the step. Without an explicit executor, a machine with one or two
     * CPUs would start a thread for each action.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the action handles the failure
    private static <T> void onCompletion(CompletableFuture<T> step, BiConsumer<? super T, Throwable> action) {
        step.whenCompleteAsync(action, Runnable::run);
    }

    /** Returns the keys of the overdue leases in this member's tables. */
    public Future<Set<String>> overdue() {
        return ask(localTables(), LeaseQuery.overdue());
    }

    /** Returns the keys of the overdue leases of all members. They show how many would expire at once. */
    public Future<Set<String>> overdueEverywhere() {
        return ask(tables(t -> true), LeaseQuery.overdue());
    }

    /** Returns the keys of all leases in this member's tables. */
    public Future<Set<String>> local() {
        return ask(localTables(), LeaseQuery.all());
    }

    private List<Integer> localTables() {
        return tables(this::ownsTable);
    }

    private static List<Integer> tables(IntPredicate which) {
        return IntStream.range(0, TABLES).filter(which).boxed().toList();
    }

    /** Asks tables in one operation for each of their members, which costs less than one for each table. */
    private Future<Set<String>> ask(List<Integer> tables, LeaseQuery query) {
        return Futures.here(completed(() -> map.submitToKeys(Set.copyOf(tables), query))
                .compose(answers -> {
                    if (answers.values().stream().allMatch(keys -> keys.length == 0)) {
                        return Future.succeededFuture(Set.of());
                    }
                    // this may run on a thread of the grid, which must not be kept busy with many keys
                    return vertx.executeBlocking(
                            () -> {
                                Set<String> keys = new HashSet<>();
                                answers.values().forEach(k -> Collections.addAll(keys, k));
                                return keys;
                            },
                            false);
                }));
    }

    /** Tells whether this member owns a lease, and so decides on its instance. */
    public boolean owns(String key) {
        return ownsTable(table(key));
    }

    private boolean ownsTable(int table) {
        Member owner = hazelcast.getPartitionService().getPartition(table).getOwner();
        return owner != null && owner.localMember();
    }

    /** Returns the id of this member. */
    public UUID self() {
        return hazelcast.getCluster().getLocalMember().getUuid();
    }

    public Set<UUID> members() {
        return hazelcast.getCluster().getMembers().stream()
                .map(m -> m.getUuid())
                .collect(Collectors.toSet());
    }

    /** Calls the listener whenever the grid has moved partitions, as it does when members join or leave. */
    public void onOwnershipChange(Runnable listener) {
        hazelcast.getPartitionService().addMigrationListener(new com.hazelcast.partition.MigrationListener() {
            @Override
            public void migrationStarted(com.hazelcast.partition.MigrationState state) {
                // only the end of a migration matters
            }

            @Override
            public void migrationFinished(com.hazelcast.partition.MigrationState state) {
                listener.run();
            }

            @Override
            public void replicaMigrationCompleted(com.hazelcast.partition.ReplicaMigrationEvent event) {
                // migrationFinished reports them all
            }

            @Override
            public void replicaMigrationFailed(com.hazelcast.partition.ReplicaMigrationEvent event) {
                // the grid retries it
            }
        });
    }
}
