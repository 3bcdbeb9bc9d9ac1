package dev.configservice.registry.lease;

import com.hazelcast.nio.ObjectDataInput;
import com.hazelcast.nio.ObjectDataOutput;
import com.hazelcast.spi.merge.MergingValue;
import com.hazelcast.spi.merge.SplitBrainMergePolicy;
import org.jspecify.annotations.Nullable;

/**
 * What holds of the leases of two halves of the grid that find each other again: of each instance the one that
 * {@link Lease#holdsAgainst} the other. The new owner then gives every lease its whole time.
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
        // it has no state
    }

    @Override
    public void readData(ObjectDataInput in) {
        // it has no state
    }
}
