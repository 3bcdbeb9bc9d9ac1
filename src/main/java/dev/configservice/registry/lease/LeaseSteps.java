package dev.configservice.registry.lease;

import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceAware;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A batch of steps on one table, executed in order. The result holds the results of all steps, in the same order. */
final class LeaseSteps implements EntryProcessor<Integer, LeaseTable, LeaseResults>, HazelcastInstanceAware {
    private final List<LeaseStep> steps;
    private transient @Nullable LeaseClock clock;

    LeaseSteps(List<? extends LeaseStep> steps) {
        this.steps = List.copyOf(steps);
    }

    @Override
    public void setHazelcastInstance(HazelcastInstance hazelcast) {
        clock = LeaseClock.of(hazelcast);
    }

    @Override
    public LeaseResults process(Map.Entry<Integer, LeaseTable> entry) {
        long now = Objects.requireNonNull(clock, "no clock").millis();
        LeaseTable table = LeaseTable.of(entry);
        if (table == null) {
            table = new LeaseTable();
        }
        List<LeaseResult> results = new ArrayList<>(steps.size());
        for (LeaseStep step : steps) {
            results.add(step.take(table, now));
        }
        // either the stored table, changed in place, or the first table of this key
        entry.setValue(table);
        return new LeaseResults(results);
    }

    static final class Serializer implements CompactSerializer<LeaseSteps> {
        @Override
        public LeaseSteps read(CompactReader r) {
            String[] types = Objects.requireNonNull(r.readArrayOfString("types"));
            @Nullable String[] keys = Objects.requireNonNull(r.readArrayOfString("keys"));
            long[] millis = Objects.requireNonNull(r.readArrayOfInt64("millis"));
            long[] generations = Objects.requireNonNull(r.readArrayOfInt64("generations"));
            long[] atLeast = Objects.requireNonNull(r.readArrayOfInt64("at_least"));
            boolean[] flags = Objects.requireNonNull(r.readArrayOfBoolean("flags"));
            List<LeaseStep> steps = new ArrayList<>(types.length);
            for (int i = 0; i < types.length; i++) {
                steps.add(
                        new LeaseStep.Wire(types[i], keys[i], millis[i], generations[i], atLeast[i], flags[i]).step());
            }
            return new LeaseSteps(steps);
        }

        @Override
        public void write(CompactWriter w, LeaseSteps steps) {
            int size = steps.steps.size();
            String[] types = new String[size];
            @Nullable String[] keys = new String[size];
            long[] millis = new long[size];
            long[] generations = new long[size];
            long[] atLeast = new long[size];
            boolean[] flags = new boolean[size];
            for (int i = 0; i < size; i++) {
                LeaseStep.Wire wire = LeaseStep.Wire.of(steps.steps.get(i));
                types[i] = wire.type();
                keys[i] = wire.key();
                millis[i] = wire.millis();
                generations[i] = wire.generation();
                atLeast[i] = wire.atLeast();
                flags[i] = wire.flag();
            }
            w.writeArrayOfString("types", types);
            w.writeArrayOfString("keys", keys);
            w.writeArrayOfInt64("millis", millis);
            w.writeArrayOfInt64("generations", generations);
            w.writeArrayOfInt64("at_least", atLeast);
            w.writeArrayOfBoolean("flags", flags);
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
