package dev.configservice.registry.lease;

import com.hazelcast.nio.ObjectDataInput;
import com.hazelcast.nio.ObjectDataOutput;
import com.hazelcast.spi.merge.MergingValue;
import com.hazelcast.spi.merge.SplitBrainMergePolicy;
import org.jspecify.annotations.Nullable;

/**
 * The merge of lease tables when the grid heals after a split. For each instance, the lease that
 * {@link Lease#holdsAgainst wins over} the other one is kept. The new owner then gives every lease its full duration.
 */
public final class LeaseMerge implements SplitBrainMergePolicy<LeaseTable, MergingValue<LeaseTable>, Object> {
    @Override
    public @Nullable Object merge(
            @Nullable MergingValue<LeaseTable> merging, @Nullable MergingValue<LeaseTable> existing) {
        LeaseTable theirs = merging == null ? null : merging.getDeserializedValue();
        LeaseTable ours = existing == null ? null : existing.getDeserializedValue();
        return theirs == null || ours == null ? (theirs == null ? ours : theirs) : ours.mergedWith(theirs);
    }

    @Override
    public void writeData(ObjectDataOutput out) {
        // there is no state
    }

    @Override
    public void readData(ObjectDataInput in) {
        // there is no state
    }
}
