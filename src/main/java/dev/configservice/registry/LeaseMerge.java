package dev.configservice.registry;

import com.hazelcast.nio.ObjectDataInput;
import com.hazelcast.nio.ObjectDataOutput;
import com.hazelcast.spi.merge.MergingValue;
import com.hazelcast.spi.merge.SplitBrainMergePolicy;
import org.jspecify.annotations.Nullable;

/**
 * Which of two leases holds when two halves of the grid find each other again: the one with the later decision on the
 * instance's status, else the one that ends later. The new owner then gives every lease its whole time.
 */
public final class LeaseMerge implements SplitBrainMergePolicy<Lease, MergingValue<Lease>, Object> {
    @Override
    public @Nullable Object merge(@Nullable MergingValue<Lease> merging, @Nullable MergingValue<Lease> existing) {
        if (merging == null || existing == null) {
            return merging == null ? raw(existing) : raw(merging);
        }
        return holds(merging.getDeserializedValue(), existing.getDeserializedValue()) ? raw(merging) : raw(existing);
    }

    private static @Nullable Object raw(@Nullable MergingValue<Lease> value) {
        return value == null ? null : value.getRawValue();
    }

    /** Whether the first of two leases holds. */
    static boolean holds(Lease a, Lease b) {
        return a.generation() != b.generation() ? a.generation() > b.generation() : a.deadline() > b.deadline();
    }

    @Override
    public void writeData(ObjectDataOutput out) {
        // it has no state
    }

    @Override
    public void readData(ObjectDataInput in) {
        // it has no state
    }
}
