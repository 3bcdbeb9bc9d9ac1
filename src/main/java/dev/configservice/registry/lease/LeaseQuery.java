package dev.configservice.registry.lease;

import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceAware;
import com.hazelcast.core.ReadOnly;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A query for the keys of a table: of all leases, or of those that are overdue by the clock of the table's owner. */
final class LeaseQuery implements EntryProcessor<Integer, LeaseTable, String[]>, ReadOnly, HazelcastInstanceAware {
    private final boolean overdue;
    private transient @Nullable LeaseClock clock;

    private LeaseQuery(boolean overdue) {
        this.overdue = overdue;
    }

    static LeaseQuery all() {
        return new LeaseQuery(false);
    }

    static LeaseQuery overdue() {
        return new LeaseQuery(true);
    }

    @Override
    public void setHazelcastInstance(HazelcastInstance hazelcast) {
        clock = LeaseClock.of(hazelcast);
    }

    @Override
    public String[] process(Map.Entry<Integer, LeaseTable> entry) {
        LeaseTable table = LeaseTable.of(entry);
        if (table == null) {
            return new String[0];
        }
        return (overdue
                        ? table.overdue(
                                Objects.requireNonNull(clock, "no clock").millis())
                        : table.keys())
                .toArray(String[]::new);
    }

    @Override
    public @Nullable EntryProcessor<Integer, LeaseTable, String[]> getBackupProcessor() {
        return null;
    }

    static final class Serializer implements CompactSerializer<LeaseQuery> {
        @Override
        public LeaseQuery read(CompactReader r) {
            return new LeaseQuery(r.readBoolean("overdue"));
        }

        @Override
        public void write(CompactWriter w, LeaseQuery query) {
            w.writeBoolean("overdue", query.overdue);
        }

        @Override
        public String getTypeName() {
            return "lease-query";
        }

        @Override
        public Class<LeaseQuery> getCompactClass() {
            return LeaseQuery.class;
        }
    }
}
