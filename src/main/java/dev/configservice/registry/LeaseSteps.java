package dev.configservice.registry;

import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceAware;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Steps of leases of one table, in their order. Answers what each of them does. */
final class LeaseSteps implements EntryProcessor<Integer, LeaseTable, long[]>, HazelcastInstanceAware {
    private final List<LeaseStep> steps;
    private transient @Nullable LeaseClock clock;

    LeaseSteps(List<LeaseStep> steps) {
        this.steps = steps;
    }

    @Override
    public void setHazelcastInstance(HazelcastInstance hazelcast) {
        clock = LeaseClock.of(hazelcast);
    }

    @Override
    public long[] process(Map.Entry<Integer, LeaseTable> entry) {
        long now = Objects.requireNonNull(clock, "no clock").millis();
        LeaseTable table = entry.getValue();
        if (table == null) {
            table = new LeaseTable();
        }
        long[] answers = new long[steps.size()];
        for (int i = 0; i < answers.length; i++) {
            answers[i] = steps.get(i).take(table, now);
        }
        // the same object, or the first one
        entry.setValue(table);
        return answers;
    }

    static final class Serializer implements CompactSerializer<LeaseSteps> {
        @Override
        public LeaseSteps read(CompactReader r) {
            return new LeaseSteps(
                    Arrays.asList(Objects.requireNonNull(r.readArrayOfCompact("steps", LeaseStep.class))));
        }

        @Override
        public void write(CompactWriter w, LeaseSteps steps) {
            w.writeArrayOfCompact("steps", steps.steps.toArray(LeaseStep[]::new));
        }

        @Override
        public String getTypeName() {
            return "lease-steps";
        }

        @Override
        public Class<LeaseSteps> getCompactClass() {
            return LeaseSteps.class;
        }
    }
}
