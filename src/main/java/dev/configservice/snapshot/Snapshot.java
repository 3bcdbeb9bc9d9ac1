package dev.configservice.snapshot;

import dev.configservice.log.Change;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All resources of a unit as of one position of the log, sorted by name. Immutable. The resources are parsed on first
 * use. A feature's view of them is computed once and kept.
 */
public final class Snapshot {
    private static final int OWN_BYTES = 200;

    /** The length from which packed bytes take too long to parse for an event loop. */
    private static final int LARGE_BYTES = 32 << 10;

    /** The same for what they are inflated to: a few kilobytes can become many megabytes. */
    private static final int LARGE_INFLATED_BYTES = 256 << 10;

    private final UnitId unit;
    private final Position asOf;
    private final long lastChange;
    private final boolean outdated;
    private volatile @Nullable SortedResources resources;
    private volatile byte @Nullable [] packed;
    /** True once it is known that an event loop must not parse the packed bytes. */
    private volatile boolean isLarge;

    private volatile @Nullable Object view;

    private Snapshot(
            UnitId unit,
            Position asOf,
            long lastChange,
            boolean outdated,
            @Nullable SortedResources resources,
            byte @Nullable [] packed) {
        this.unit = unit;
        this.asOf = asOf;
        this.lastChange = lastChange;
        this.outdated = outdated;
        this.resources = resources;
        this.packed = packed;
    }

    /** Creates a snapshot of resources, which may be in any order. */
    public static Snapshot of(UnitId unit, Position asOf, long lastChange, List<Resource> resources) {
        return new Snapshot(unit, asOf, lastChange, false, SortedResources.of(resources), null);
    }

    /** Creates the snapshot of an empty unit. */
    static Snapshot empty(UnitId unit, Position asOf, long lastChange) {
        return new Snapshot(unit, asOf, lastChange, false, SortedResources.EMPTY, null);
    }

    /**
     * Creates a snapshot from its {@link #packed} bytes, which are parsed when the resources are first requested.
     */
    public static Snapshot ofPacked(UnitId unit, Position asOf, long lastChange, byte[] packed) {
        return new Snapshot(unit, asOf, lastChange, false, null, packed);
    }

    public UnitId unit() {
        return unit;
    }

    /** Returns the position that the snapshot is as of. */
    public Position asOf() {
        return asOf;
    }

    /** Returns the revision of the last change in the unit, deletions included; 0 if there was none. */
    public long lastChange() {
        return lastChange;
    }

    /**
     * Tells whether newer changes of the unit are known, so that the snapshot is served only because PostgreSQL is
     * unreachable.
     */
    public boolean isOutdated() {
        return outdated;
    }

    Snapshot asOutdated() {
        return new Snapshot(unit, asOf, lastChange, true, resources(), null);
    }

    /**
     * Parses the resources, unless that takes too long for an event loop. Returns whether they are parsed.
     */
    boolean parseIfSmall() {
        byte[] unparsed = packed;
        if (unparsed == null) {
            return true;
        }
        // without the lock: a worker that parses a large one holds it meanwhile
        if (isLarge || unparsed.length > LARGE_BYTES) {
            return false;
        }
        synchronized (this) {
            byte[] p = packed;
            if (p == null) {
                return true;
            }
            List<Resource> small = Packing.unpack(unit, p, LARGE_INFLATED_BYTES);
            isLarge = small == null;
            if (small != null) {
                parsed(small);
            }
            return small != null;
        }
    }

    /** Keeps the parsed form only: with a million configurations, both would fill much of the heap. */
    private SortedResources parsed(List<Resource> unpacked) {
        SortedResources sorted = SortedResources.of(unpacked);
        resources = sorted;
        packed = null;
        return sorted;
    }

    /** Returns the number of bytes that are still to be parsed; 0 if there are none. */
    int packedLength() {
        byte[] p = packed;
        return p == null ? 0 : p.length;
    }

    /** Returns the unit's resources, sorted by name in the order of code points. */
    public SortedResources resources() {
        SortedResources r = resources;
        if (r != null) {
            return r;
        }
        synchronized (this) {
            r = resources;
            return r == null ? parsed(Packing.unpack(unit, Objects.requireNonNull(packed))) : r;
        }
    }

    /**
     * Returns the view that a feature makes of the snapshot, computed once. Every caller of one snapshot must ask for
     * the same type of view, or a {@link ClassCastException} is thrown.
     */
    public <T> T view(Class<T> type, Function<Snapshot, T> make) {
        Object v = view;
        if (v == null) {
            // one event loop makes it, the others wait: all would need the same time
            synchronized (this) {
                v = view;
                if (v == null) {
                    v = make.apply(this);
                    view = v;
                }
            }
        }
        return type.cast(v);
    }

    /** Returns the snapshot after further changes of its unit, which must be in order. */
    Snapshot patched(List<Change> changes, Position as) {
        SortedResources after = resources();
        for (Change change : changes) {
            Resource r = change.resource();
            after = change.action().isRemoval() ? after.without(r.name()) : after.with(r);
        }
        long last =
                changes.isEmpty() ? lastChange : changes.get(changes.size() - 1).revision();
        return new Snapshot(unit, as, last, false, after, null);
    }

    /** Returns an estimate of the memory that the snapshot takes with its view, in bytes. */
    int bytes() {
        return (int) Math.min(Integer.MAX_VALUE, OWN_BYTES + resources().bytes());
    }

    /** Returns the resources as bytes, for the grid, Redis and edges. Takes long if there are many. */
    public byte[] packed() {
        byte[] p = packed;
        return p == null ? Packing.pack(resources()) : p;
    }
}
