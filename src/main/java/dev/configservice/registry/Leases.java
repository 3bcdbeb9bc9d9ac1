package dev.configservice.registry;

import com.hazelcast.config.Config;
import com.hazelcast.config.IndexConfig;
import com.hazelcast.config.IndexType;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MergePolicyConfig;
import com.hazelcast.config.PartitioningStrategyConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import com.hazelcast.partition.strategy.StringPartitioningStrategy;
import com.hazelcast.query.Predicate;
import com.hazelcast.query.Predicates;
import dev.configservice.registry.LeaseStep.What;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/** The leases of all instances, in the grid: one backup, all of one service on one member. */
public final class Leases {
    private static final String MAP = "leases";

    private final Vertx vertx;
    private final HazelcastInstance hazelcast;
    private final IMap<String, Lease> map;
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
        config.getUserContext().put(LeaseStep.CLOCK, clock);
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new Lease.Serializer())
                .addSerializer(new LeaseStep.Serializer());
        config.addMapConfig(new MapConfig(MAP)
                .setBackupCount(1)
                .setMergePolicyConfig(new MergePolicyConfig(LeaseMerge.class.getName(), 100))
                .addIndexConfig(new IndexConfig(IndexType.SORTED, "deadline"))
                .setPartitioningStrategyConfig(new PartitioningStrategyConfig(new StringPartitioningStrategy())));
    }

    /** The key of an instance's lease; what follows the last @ decides on the partition. */
    static String key(String serviceName, String instanceId) {
        return instanceId + "@" + serviceName;
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
        return beats.add(new Beat(instance.key(), renewal(instance, tell), Promise.promise()));
    }

    /** The same at once, after those that wait. */
    Future<Long> renew(Instance instance, boolean tell) {
        beats.flush();
        return step(instance.key(), renewal(instance, tell));
    }

    private static LeaseStep renewal(Instance instance, boolean tell) {
        return new LeaseStep(
                What.BEAT, instance.lease().toMillis(), instance.resource().fence(), tell);
    }

    private record Beat(String key, LeaseStep step, Promise<Long> renewed) {}

    /**
     * The heartbeats of all event loops that go to the grid together: so many at most, none waits longer than so many looks,
     * and when nothing came between two looks, nothing is waited for.
     */
    private final class Gathered {
        private static final int MAX = 256;
        private static final long LOOK_MILLIS = 10;
        private static final int LOOKS = 10;

        private List<Beat> waiting = new ArrayList<>(MAX);
        private boolean watched;
        private int seen;
        private int looks;

        Future<Long> add(Beat beat) {
            List<Beat> full = List.of();
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
            renew(full);
            return beat.renewed().future();
        }

        private void look() {
            List<Beat> due = List.of();
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
            renew(due);
        }

        void flush() {
            List<Beat> due;
            synchronized (this) {
                due = waiting.isEmpty() ? List.of() : take();
            }
            renew(due);
        }

        private List<Beat> take() {
            List<Beat> taken = waiting;
            waiting = new ArrayList<>(MAX);
            looks = 0;
            seen = 0;
            return taken;
        }

        private void renew(List<Beat> together) {
            together.forEach(b -> step(b.key(), b.step()).onComplete(b.renewed()));
        }
    }

    Future<Long> expire(String key) {
        return step(key, LeaseStep.of(What.EXPIRE));
    }

    /** Lets a lease end again, as what its end came to could not be written. */
    Future<Long> unexpire(String key, long generation, boolean wasExpired) {
        return step(key, new LeaseStep(What.UNEXPIRE, 0, generation, wasExpired));
    }

    /** The same, and the next decision is above one that the log knows already. */
    Future<Long> raise(String key, long generation, long above, boolean wasExpired) {
        return step(key, new LeaseStep(What.UNEXPIRE, above, generation, wasExpired));
    }

    Future<Long> ensure(Instance instance) {
        return step(
                instance.key(),
                new LeaseStep(
                        What.ENSURE,
                        instance.lease().toMillis(),
                        instance.resource().fence(),
                        instance.status() == Status.UNHEALTHY));
    }

    /** A generation for a decision that is no heartbeat; 0 where the lease has ended or is not there. */
    Future<Long> judge(Instance instance) {
        return step(
                instance.key(), new LeaseStep(What.JUDGE, 0, instance.resource().fence(), false));
    }

    /** Gives all leases of this member's partitions their whole time: one message for each partition. */
    Future<Void> extendLocal() {
        return local().compose(keys -> {
            if (keys.isEmpty()) {
                return Future.succeededFuture();
            }
            Promise<Void> promise = Promise.promise();
            // leases that end at one time are seen to end together
            LeaseStep extend = new LeaseStep(What.EXTEND, clock.millis(), 0, false);
            onCompletion(map.submitToKeys(keys, extend).toCompletableFuture(), (all, e) -> {
                if (e == null) {
                    promise.complete();
                } else {
                    promise.fail(e);
                }
            });
            return promise.future();
        });
    }

    private Future<Long> step(String key, LeaseStep step) {
        Promise<Long> promise = Promise.promise();
        onCompletion(map.submitToKey(key, step).toCompletableFuture(), (generation, e) -> {
            if (e == null) {
                promise.complete(generation == null ? 0 : generation);
            } else {
                promise.fail(e);
            }
        });
        return promise.future();
    }

    /** On the thread that completes the step: without an executor, two CPUs or fewer start a thread for each. */
    @SuppressWarnings("FutureReturnValueIgnored") // the action itself takes the failure
    private static <T> void onCompletion(CompletableFuture<T> step, BiConsumer<? super T, Throwable> action) {
        step.whenCompleteAsync(action, Runnable::run);
    }

    void remove(String key) {
        map.removeAsync(key);
    }

    // what the grid answers is copied: to look for one key, its own sets go through all of them

    private Predicate<String, Lease> overdueNow() {
        return Predicates.lessEqual("deadline", clock.millis());
    }

    /** The leases of this member's partitions that are overdue. */
    Future<Set<String>> overdue() {
        return vertx.executeBlocking(() -> new HashSet<>(map.localKeySet(overdueNow())), false);
    }

    /** The leases of all members that are overdue: how many would go at once. */
    Future<Set<String>> overdueEverywhere() {
        return vertx.executeBlocking(() -> new HashSet<>(map.keySet(overdueNow())), false);
    }

    /** The leases of this member's partitions. */
    Future<Set<String>> local() {
        return vertx.executeBlocking(() -> new HashSet<>(map.localKeySet()), false);
    }

    /** Whether this member decides on an instance. */
    boolean owns(String key) {
        var owner = hazelcast.getPartitionService().getPartition(key).getOwner();
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
