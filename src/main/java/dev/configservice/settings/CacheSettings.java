package dev.configservice.settings;

/**
 * The memory of a node for snapshots and for answers that are made from them.
 *
 * @param nearEntries the number of snapshots in the near cache
 * @param maxBytes the size of all of it together
 */
public record CacheSettings(int nearEntries, long maxBytes) {
    private static final long MIN_READ_BYTES = 20 << 20;

    static CacheSettings from(Section s) {
        return new CacheSettings(s.integer("near-entries", 100, 10_000_000), s.bytesOrShare("max-bytes"));
    }

    /** Returns the part of the memory for snapshots in the near cache; on an edge also for those that it holds. */
    public long nearBytes() {
        return maxBytes * 3 / 8;
    }

    /** Returns the part for snapshots that are newer than those in the near cache. */
    public long aheadBytes() {
        return maxBytes / 4;
    }

    /** Returns the part for merged layers. */
    public long mergedBytes() {
        return maxBytes / 8;
    }

    /** Returns the part for packed units that wait to be parsed. */
    public long waitingBytes() {
        return maxBytes / 8;
    }

    /** Returns the size of what one read of the past, comparison, export or import may hold: at least a full layer. */
    public long readBytes() {
        return Math.max(MIN_READ_BYTES, maxBytes / 12);
    }

    /** Returns the part for this member's share of the grid, as a percentage of the heap. */
    public int gridPercent() {
        return (int) Math.max(1, maxBytes / 8 * 100 / Runtime.getRuntime().maxMemory());
    }
}
