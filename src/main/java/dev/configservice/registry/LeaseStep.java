package dev.configservice.registry;

import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceAware;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One step of a lease, decided by its owner, one at a time for each. What it answers is the generation under which the
 * log may be told; 0 where there is nothing to tell.
 */
final class LeaseStep implements EntryProcessor<String, Lease, Long>, HazelcastInstanceAware {
    /** What is asked of the owner. */
    enum What {
        /** A heartbeat: the lease is renewed; {@code tell} asks for a generation. */
        BEAT,
        /** The lease is overdue: it ends if it still is. */
        EXPIRE,
        /** The log could not be told that it ended: it ends again soon, with a generation above {@code millis}. */
        UNEXPIRE,
        /** An instance that the grid may have lost the lease of: it gets one, with its whole time. */
        ENSURE,
        /** Something else than a heartbeat decided on the status: a generation, and no renewal; none where it has ended. */
        JUDGE,
        /** The owner is new: the lease gets its whole time from {@code millis} on, the same for all that it has taken over. */
        EXTEND
    }

    /** The name under which a member's user context holds the clock. */
    static final String CLOCK = "lease-clock";

    private final What what;
    private final long millis;
    private final long generation;
    private final boolean tell;
    private transient @Nullable LeaseClock clock;

    LeaseStep(What what, long millis, long generation, boolean tell) {
        this.what = what;
        this.millis = millis;
        this.generation = generation;
        this.tell = tell;
    }

    static LeaseStep of(What what) {
        return new LeaseStep(what, 0, 0, false);
    }

    @Override
    public void setHazelcastInstance(HazelcastInstance hazelcast) {
        clock = (LeaseClock) hazelcast.getUserContext().get(CLOCK);
    }

    @Override
    public Long process(Map.Entry<String, Lease> entry) {
        long now = Objects.requireNonNull(clock, "no clock").millis();
        Lease lease = entry.getValue();
        return switch (what) {
            case BEAT -> beat(entry, lease, now);
            case EXPIRE -> expire(entry, lease, now);
            case UNEXPIRE -> {
                if (lease != null && lease.generation() == generation) {
                    entry.setValue(new Lease(now, lease.millis(), Math.max(millis, generation), tell));
                }
                yield 0L;
            }
            case ENSURE -> {
                if (lease == null) {
                    entry.setValue(new Lease(now + (tell ? removalMillis() : millis), millis, generation, tell));
                }
                yield 0L;
            }
            case JUDGE -> judge(entry, lease, generation);
            case EXTEND -> {
                if (lease != null) {
                    long whole = millis + lease.millis();
                    entry.setValue(new Lease(
                            Math.max(lease.deadline(), whole), lease.millis(), lease.generation(), lease.expired()));
                }
                yield 0L;
            }
        };
    }

    private long removalMillis() {
        return millis * Lease.LEASES_TO_REMOVAL;
    }

    private long beat(Map.Entry<String, Lease> entry, @Nullable Lease lease, long now) {
        long known = Math.max(generation, lease == null ? 0 : lease.generation());
        boolean wasExpired = lease != null && lease.expired();
        boolean decides = tell || wasExpired;
        long next = decides ? known + 1 : known;
        entry.setValue(new Lease(now + millis, millis, next, false));
        return decides ? next : 0;
    }

    private static long judge(Map.Entry<String, Lease> entry, @Nullable Lease lease, long known) {
        if (lease == null || lease.expired()) {
            return 0;
        }
        long next = Math.max(known, lease.generation()) + 1;
        entry.setValue(new Lease(lease.deadline(), lease.millis(), next, false));
        return next;
    }

    private static long expire(Map.Entry<String, Lease> entry, @Nullable Lease lease, long now) {
        if (lease == null || lease.deadline() > now) {
            return 0;
        }
        long next = lease.generation() + 1;
        long removal = now + lease.millis() * Lease.LEASES_TO_REMOVAL;
        entry.setValue(new Lease(removal, lease.millis(), next, true));
        // a second end is the removal: told apart by the sign
        return lease.expired() ? -next : next;
    }

    static final class Serializer implements CompactSerializer<LeaseStep> {
        @Override
        public LeaseStep read(CompactReader r) {
            return new LeaseStep(
                    What.valueOf(String.valueOf(r.readString("what"))),
                    r.readInt64("millis"),
                    r.readInt64("generation"),
                    r.readBoolean("tell"));
        }

        @Override
        public void write(CompactWriter w, LeaseStep step) {
            w.writeString("what", step.what.name());
            w.writeInt64("millis", step.millis);
            w.writeInt64("generation", step.generation);
            w.writeBoolean("tell", step.tell);
        }

        @Override
        public String getTypeName() {
            return "lease-step";
        }

        @Override
        public Class<LeaseStep> getCompactClass() {
            return LeaseStep.class;
        }
    }
}
