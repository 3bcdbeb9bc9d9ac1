package dev.configservice.registry;

import com.hazelcast.cluster.Member;
import com.hazelcast.config.Config;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MergePolicyConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.map.IMap;
import dev.configservice.registry.LeaseStep.What;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The leases of all instances, in the grid: so many tables, each with one backup, and all of one service in one of them.
 * What many ask of one table at a time is one step of the grid, so a heartbeat costs a small part of one.
 */
public final class Leases {
    private static final Logger log = LoggerFactory.getLogger(Leases.class);
    private static final String MAP = "lease-tables";
    /** The same on all nodes, as it decides on the table of a service. */
    private static final int TABLES = 16;

    private static final int ENSURED_AT_ONCE = 1000;

    private final Vertx vertx;
    private final HazelcastInstance hazelcast;
    private final IMap<Integer, LeaseTable> map;
    private final LeaseClock clock;
    private final Gathered beats = new Gathered();

    public Leases(Vertx vertx, HazelcastInstance hazelcast, LeaseClock clock) {
        this.vertx = vertx;
        this.hazelcast = hazelcast;
        this.clock = clock;
        this.map = hazelcast.getMap(MAP);
    }

    /** Adds what the map needs to a node's configuration. */
    public static void configure(Config config, LeaseClock clock) {
        clock.configure(config);
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new LeaseTable.Serializer())
                .addSerializer(new LeaseStep.Serializer())
                .addSerializer(new LeaseSteps.Serializer())
                .addSerializer(new LeaseQuery.Serializer());
        config.addMapConfig(new MapConfig(MAP)
                .setBackupCount(1)
                // a table is changed in place: with an index the grid would copy all of it at each step
                .setInMemoryFormat(InMemoryFormat.OBJECT)
                .setMergePolicyConfig(new MergePolicyConfig(LeaseMerge.class.getName(), 100)));
    }

    /** The key of an instance's lease. */
    static String key(String serviceName, String instanceId) {
        return instanceId + "@" + serviceName;
    }

    /** In which table the lease is. */
    private static int table(String key) {
        int hash = serviceName(key).hashCode();
        return Math.floorMod(hash ^ (hash >>> 16), TABLES);
    }

    static String serviceName(String key) {
        return key.substring(key.lastIndexOf('@') + 1);
    }

    static String instanceId(String key) {
        return key.substring(0, key.lastIndexOf('@'));
    }

    long now() {
        return clock.millis();
    }

    /**
     * Renews a lease; the generation to tell the log with where it must be told, else 0. It waits a moment for others, as
     * each one that goes alone wakes a thread of the grid and then its event loop.
     */
    Future<Long> beat(Instance instance, boolean tell) {
        return beats.add(new Asked(renewal(instance, tell)));
    }

    /** The same at once, after those that wait. */
    Future<Long> renew(Instance instance, boolean tell) {
        beats.flush();
        return step(renewal(instance, tell));
    }

    private static LeaseStep renewal(Instance instance, boolean tell) {
        return new LeaseStep(
                instance.key(),
                What.BEAT,
                instance.lease().toMillis(),
                instance.resource().fence(),
                tell);
    }

    /** A step, and what it answers. */
    private record Asked(LeaseStep step, Promise<Long> answer) {
        Asked(LeaseStep step) {
            this(step, Promise.promise());
        }
    }

    /**
     * The heartbeats of all event loops that go to the grid together: so many at most, none waits longer than so many looks,
     * and when nothing came between two looks, nothing is waited for.
     */
    private final class Gathered {
        private static final int MAX = 256;
        private static final long LOOK_MILLIS = 10;
        private static final int LOOKS = 10;

        private List<Asked> waiting = new ArrayList<>(MAX);
        private boolean watched;
        private int seen;
        private int looks;

        Future<Long> add(Asked beat) {
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
            return beat.answer().future();
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

    Future<Long> expire(String key) {
        return step(LeaseStep.of(key, What.EXPIRE));
    }

    /** Lets a lease end again, as what its end came to could not be written. */
    Future<Long> unexpire(String key, long generation, boolean wasExpired) {
        return step(new LeaseStep(key, What.UNEXPIRE, 0, generation, wasExpired));
    }

    /** The same, and the next decision is above one that the log knows already. */
    Future<Long> raise(String key, long generation, long above, boolean wasExpired) {
        return step(new LeaseStep(key, What.UNEXPIRE, above, generation, wasExpired));
    }

    /** Gives instances that have none a lease with its whole time: a part after another, as heartbeats come meanwhile. */
    Future<Void> ensure(List<Instance> instances) {
        return Futures.here(vertx.executeBlocking(() -> parts(instances), false)
                .compose(parts -> {
                    Future<long[]> done = Future.succeededFuture();
                    for (List<LeaseStep> part : parts) {
                        done = done.compose(v -> at(table(part.get(0).key()), new LeaseSteps(part)));
                    }
                    return done;
                })
                .mapEmpty());
    }

    /** The steps for instances without a lease, so many at most of one table. Of a large fleet it takes a while. */
    private static List<List<LeaseStep>> parts(List<Instance> instances) {
        List<List<LeaseStep>> parts = new ArrayList<>();
        instances.stream()
                .map(i -> new LeaseStep(
                        i.key(),
                        What.ENSURE,
                        i.lease().toMillis(),
                        i.resource().fence(),
                        i.status() == Status.UNHEALTHY))
                .collect(Collectors.groupingBy(step -> table(step.key())))
                .values()
                .forEach(steps -> {
                    for (int from = 0; from < steps.size(); from += ENSURED_AT_ONCE) {
                        parts.add(steps.subList(from, Math.min(steps.size(), from + ENSURED_AT_ONCE)));
                    }
                });
        return parts;
    }

    /** A generation for a decision that is no heartbeat; 0 where the lease has ended or is not there. */
    Future<Long> judge(Instance instance) {
        return step(
                new LeaseStep(instance.key(), What.JUDGE, 0, instance.resource().fence(), false));
    }

    /** Where it fails, the owner finds a lease without an instance later, and it goes then. */
    void remove(String key) {
        step(LeaseStep.of(key, What.REMOVE)).onFailure(e -> log.debug("registry.lease-remains cause={}", e.toString()));
    }

    /** Gives all leases of this member's tables their whole time. */
    Future<Void> extendLocal() {
        // leases that end at one time are seen to end together
        LeaseStep extend = new LeaseStep(LeaseStep.ALL, What.EXTEND, clock.millis(), 0, false);
        return Futures.here(Future.all(localTables().stream()
                        .map(table -> at(table, new LeaseSteps(List.of(extend))))
                        .toList())
                .mapEmpty());
    }

    private Future<Long> step(LeaseStep step) {
        return at(table(step.key()), new LeaseSteps(List.of(step))).map(answers -> answers[0]);
    }

    /** One step of the grid for each table that is asked. */
    private void submit(List<Asked> together) {
        together.stream()
                .collect(Collectors.groupingBy(a -> table(a.step().key())))
                .forEach((table, asked) -> {
                    LeaseSteps steps =
                            new LeaseSteps(asked.stream().map(Asked::step).toList());
                    at(table, steps).onComplete(done -> {
                        for (int i = 0; i < asked.size(); i++) {
                            Promise<Long> answer = asked.get(i).answer();
                            if (done.succeeded()) {
                                answer.complete(done.result()[i]);
                            } else {
                                answer.fail(done.cause());
                            }
                        }
                    });
                });
    }

    /** One step of the grid on one table. */
    private <R> Future<R> at(int table, EntryProcessor<Integer, LeaseTable, R> processor) {
        Promise<R> promise = Promise.promise();
        try {
            onCompletion(map.submitToKey(table, processor).toCompletableFuture(), (answer, e) -> {
                if (e == null) {
                    promise.complete(answer);
                } else {
                    promise.fail(e);
                }
            });
        } catch (RuntimeException e) {
            // a grid that has stopped says so at once
            promise.fail(e);
        }
        return promise.future();
    }

    /** On the thread that completes the step: without an executor, two CPUs or fewer start a thread for each. */
    @SuppressWarnings("FutureReturnValueIgnored") // the action itself takes the failure
    private static <T> void onCompletion(CompletableFuture<T> step, BiConsumer<? super T, Throwable> action) {
        step.whenCompleteAsync(action, Runnable::run);
    }

    /** The leases of this member's tables that are overdue. */
    Future<Set<String>> overdue() {
        return ask(localTables(), LeaseQuery.overdue());
    }

    /** The leases of all members that are overdue: how many would go at once. */
    Future<Set<String>> overdueEverywhere() {
        return ask(tables(t -> true), LeaseQuery.overdue());
    }

    /** The leases of this member's tables. */
    Future<Set<String>> local() {
        return ask(localTables(), LeaseQuery.all());
    }

    private List<Integer> localTables() {
        return tables(this::ownsTable);
    }

    private static List<Integer> tables(IntPredicate which) {
        return IntStream.range(0, TABLES).filter(which).boxed().toList();
    }

    private Future<Set<String>> ask(List<Integer> tables, LeaseQuery query) {
        List<Future<String[]>> answers =
                tables.stream().map(table -> at(table, query)).toList();
        return Futures.here(Future.all(answers).compose(v -> {
            if (answers.stream().allMatch(a -> a.result().length == 0)) {
                return Future.succeededFuture(Set.of());
            }
            // many are not for a thread of the grid, which answers here
            return vertx.executeBlocking(
                    () -> {
                        Set<String> keys = new HashSet<>();
                        answers.forEach(a -> Collections.addAll(keys, a.result()));
                        return keys;
                    },
                    false);
        }));
    }

    /** Whether this member decides on an instance. */
    boolean owns(String key) {
        return ownsTable(table(key));
    }

    private boolean ownsTable(int table) {
        Member owner = hazelcast.getPartitionService().getPartition(table).getOwner();
        return owner != null && owner.localMember();
    }

    /** This member, and all members of the cluster. */
    UUID self() {
        return hazelcast.getCluster().getLocalMember().getUuid();
    }

    Set<UUID> members() {
        return hazelcast.getCluster().getMembers().stream()
                .map(m -> m.getUuid())
                .collect(Collectors.toSet());
    }

    /** Calls when members come, go, or partitions have moved. */
    void onOwnershipChange(Runnable listener) {
        hazelcast.getPartitionService().addMigrationListener(new com.hazelcast.partition.MigrationListener() {
            @Override
            public void migrationStarted(com.hazelcast.partition.MigrationState state) {
                // only its end matters
            }

            @Override
            public void migrationFinished(com.hazelcast.partition.MigrationState state) {
                listener.run();
            }

            @Override
            public void replicaMigrationCompleted(com.hazelcast.partition.ReplicaMigrationEvent event) {
                // told for all of them at the end
            }

            @Override
            public void replicaMigrationFailed(com.hazelcast.partition.ReplicaMigrationEvent event) {
                // tried again by the grid
            }
        });
    }
}
