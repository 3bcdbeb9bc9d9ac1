package dev.configservice.registry;

import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;

/**
 * The lease of an instance.
 *
 * @param deadline when it ends, in the owner's time
 * @param millis how long it lasts when it is renewed
 * @param generation counts the decisions on the instance's status; the log takes each only in this order
 * @param expired whether it has ended once already: when it ends again, the instance is removed
 */
record Lease(long deadline, long millis, long generation, boolean expired) {
    /** How many leases after its end an instance is removed. */
    static final int LEASES_TO_REMOVAL = 10;

    static final class Serializer implements CompactSerializer<Lease> {
        @Override
        public Lease read(CompactReader r) {
            return new Lease(
                    r.readInt64("deadline"),
                    r.readInt64("millis"),
                    r.readInt64("generation"),
                    r.readBoolean("expired"));
        }

        @Override
        public void write(CompactWriter w, Lease lease) {
            w.writeInt64("deadline", lease.deadline);
            w.writeInt64("millis", lease.millis);
            w.writeInt64("generation", lease.generation);
            w.writeBoolean("expired", lease.expired);
        }

        @Override
        public String getTypeName() {
            return "lease";
        }

        @Override
        public Class<Lease> getCompactClass() {
            return Lease.class;
        }
    }
}
