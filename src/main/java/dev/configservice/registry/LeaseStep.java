package dev.configservice.registry;

import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One step of a lease, decided by its owner, one at a time for each. What it answers is the generation under which the
 * log may be told; 0 where there is nothing to tell.
 *
 * @param key of the lease; {@link #ALL} for a step of all leases of a table
 */
record LeaseStep(String key, What what, long millis, long generation, boolean tell) {
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
        /** The owner is new: all that it has taken over get their whole time, from {@code millis} on. */
        EXTEND,
        /** The instance is gone, and its lease goes. */
        REMOVE
    }

    /** In place of a key. */
    static final String ALL = "";

    static LeaseStep of(String key, What what) {
        return new LeaseStep(key, what, 0, 0, false);
    }

    /** Takes the step at a time of the owner's. */
    long take(LeaseTable table, long now) {
        Lease lease = table.get(key);
        return switch (what) {
            case BEAT -> beat(table, lease, now);
            case EXPIRE -> expire(table, lease, now);
            case UNEXPIRE -> {
                if (lease != null && lease.generation() == generation) {
                    table.put(key, new Lease(now, lease.millis(), Math.max(millis, generation), tell));
                }
                yield 0;
            }
            case ENSURE -> {
                if (lease == null) {
                    long first = tell ? millis * Lease.LEASES_TO_REMOVAL : millis;
                    table.put(key, new Lease(now + first, millis, generation, tell));
                }
                yield 0;
            }
            case JUDGE -> judge(table, lease);
            case EXTEND -> {
                table.extend(millis);
                yield 0;
            }
            case REMOVE -> {
                table.remove(key);
                yield 0;
            }
        };
    }

    private long beat(LeaseTable table, @Nullable Lease lease, long now) {
        long known = Math.max(generation, lease == null ? 0 : lease.generation());
        boolean decides = tell || (lease != null && lease.expired());
        long next = decides ? known + 1 : known;
        table.put(key, new Lease(now + millis, millis, next, false));
        return decides ? next : 0;
    }

    private long judge(LeaseTable table, @Nullable Lease lease) {
        if (lease == null || lease.expired()) {
            return 0;
        }
        long next = Math.max(generation, lease.generation()) + 1;
        table.put(key, new Lease(lease.deadline(), lease.millis(), next, false));
        return next;
    }

    private long expire(LeaseTable table, @Nullable Lease lease, long now) {
        if (lease == null || lease.deadline() > now) {
            return 0;
        }
        long next = lease.generation() + 1;
        long removal = now + lease.millis() * Lease.LEASES_TO_REMOVAL;
        table.put(key, new Lease(removal, lease.millis(), next, true));
        // a second end is the removal: told apart by the sign
        return lease.expired() ? -next : next;
    }

    static final class Serializer implements CompactSerializer<LeaseStep> {
        @Override
        public LeaseStep read(CompactReader r) {
            return new LeaseStep(
                    Objects.requireNonNull(r.readString("key")),
                    What.valueOf(String.valueOf(r.readString("what"))),
                    r.readInt64("millis"),
                    r.readInt64("generation"),
                    r.readBoolean("tell"));
        }

        @Override
        public void write(CompactWriter w, LeaseStep step) {
            w.writeString("key", step.key);
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
