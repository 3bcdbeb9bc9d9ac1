package dev.configservice.cluster;

import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.cluster.MembershipListener;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.LifecycleEvent;
import com.hazelcast.core.LifecycleEvent.LifecycleState;
import com.hazelcast.core.LifecycleListener;
import io.vertx.core.Vertx;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A repair of the event bus after a member has left, or after two halves of the cluster have merged: it registers the
 * event bus addresses of this node again. Vert.x does so only once, immediately. If the grid refuses it at that moment
 * (for example because a partition has no owner yet, or because another member's clock has jumped), Vert.x gives up,
 * and no other node could send messages to this one any more.
 */
final class BusRepair implements LifecycleListener, MembershipListener {
    private static final Logger log = LoggerFactory.getLogger(BusRepair.class);
    private static final long AFTER_MILLIS = 5000;

    private final Vertx vertx;
    private final HazelcastClusterManager manager;
    private final AtomicBoolean planned = new AtomicBoolean();

    private BusRepair(Vertx vertx, HazelcastClusterManager manager) {
        this.vertx = vertx;
        this.manager = manager;
    }

    static void follow(HazelcastInstance hazelcast, Vertx vertx, HazelcastClusterManager manager) {
        BusRepair repair = new BusRepair(vertx, manager);
        hazelcast.getLifecycleService().addLifecycleListener(repair);
        hazelcast.getCluster().addMembershipListener(repair);
    }

    @Override
    public void stateChanged(LifecycleEvent event) {
        if (event.getState() == LifecycleState.MERGED) {
            plan();
        }
    }

    @Override
    public void memberAdded(MembershipEvent event) {
        // a new member does not remove registrations of this node
    }

    @Override
    public void memberRemoved(MembershipEvent event) {
        plan();
    }

    private void plan() {
        if (!planned.compareAndSet(false, true)) {
            return;
        }
        try {
            vertx.setTimer(AFTER_MILLIS + ThreadLocalRandom.current().nextLong(AFTER_MILLIS), t -> tell());
        } catch (RejectedExecutionException e) {
            log.debug("bus.repair-not-planned cause={}", e.toString());
        }
    }

    /**
     * Repeats the registration that Vert.x itself makes after two halves of the cluster have merged. It can be
     * repeated at any time.
     */
    private void tell() {
        planned.set(false);
        vertx.executeBlocking(
                        () -> {
                            manager.stateChanged(new LifecycleEvent(LifecycleState.MERGED));
                            return null;
                        },
                        false)
                .onFailure(e -> {
                    log.warn("bus.repair-failed cause={}", e.toString());
                    plan();
                });
    }
}
