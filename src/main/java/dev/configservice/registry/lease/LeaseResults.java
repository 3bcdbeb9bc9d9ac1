package dev.configservice.registry.lease;

import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The results of several steps, in the order of the steps. */
record LeaseResults(List<LeaseResult> results) {
    LeaseResult get(int index) {
        return results.get(index);
    }

    static final class Serializer implements CompactSerializer<LeaseResults> {
        @Override
        public LeaseResults read(CompactReader r) {
            long[] generations = Objects.requireNonNull(r.readArrayOfInt64("generations"));
            boolean[] silent = Objects.requireNonNull(r.readArrayOfBoolean("silent"));
            boolean[] removed = Objects.requireNonNull(r.readArrayOfBoolean("removed"));
            List<LeaseResult> results = new ArrayList<>(silent.length);
            for (int i = 0; i < silent.length; i++) {
                results.add(
                        silent[i]
                                ? LeaseResult.SILENT
                                : removed[i]
                                        ? new LeaseResult.Removed(generations[i])
                                        : new LeaseResult.Decided(generations[i]));
            }
            return new LeaseResults(results);
        }

        @Override
        public void write(CompactWriter w, LeaseResults results) {
            int size = results.results.size();
            long[] generations = new long[size];
            boolean[] silent = new boolean[size];
            boolean[] removed = new boolean[size];
            for (int i = 0; i < size; i++) {
                LeaseResult result = results.get(i);
                silent[i] = result instanceof LeaseResult.Silent;
                removed[i] = result instanceof LeaseResult.Removed;
                generations[i] = generation(result);
            }
            w.writeArrayOfInt64("generations", generations);
            w.writeArrayOfBoolean("silent", silent);
            w.writeArrayOfBoolean("removed", removed);
        }

        private static long generation(LeaseResult result) {
            if (result instanceof LeaseResult.Decided decided) {
                return decided.generation();
            }
            return result instanceof LeaseResult.Removed removed ? removed.generation() : 0;
        }

        @Override
        public String getTypeName() {
            return "lease-results";
        }

        @Override
        public Class<LeaseResults> getCompactClass() {
            return LeaseResults.class;
        }
    }
}
