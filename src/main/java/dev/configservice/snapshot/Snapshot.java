package dev.configservice.snapshot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sealed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * All resources of a unit as of one position of the log, sorted by name. Immutable. The resources are parsed on first
 * use. A feature's view of them is computed once and kept.
 */
public final class Snapshot {
    /** A row is kept as text, parsed in the view, and rendered there. */
    private static final int TIMES = 4;

    private static final int PER_RESOURCE = 500;

    private final UnitId unit;
    private final Position asOf;
    private final long lastChange;
    private final boolean outdated;
    private volatile @Nullable List<Resource> resources;
    private volatile byte @Nullable [] payload;
    private volatile @Nullable Object view;
    /** The estimate of {@link #bytes()}; 0 until it is made. */
    private volatile int bytes;

    private Snapshot(
            UnitId unit,
            Position asOf,
            long lastChange,
            boolean outdated,
            @Nullable List<Resource> resources,
            byte @Nullable [] payload) {
        this.unit = unit;
        this.asOf = asOf;
        this.lastChange = lastChange;
        this.outdated = outdated;
        this.resources = resources;
        this.payload = payload;
    }

    /** Creates a snapshot of resources, which may be in any order. */
    public static Snapshot of(UnitId unit, Position asOf, long lastChange, List<Resource> resources) {
        List<Resource> sorted = new ArrayList<>(resources);
        sorted.sort(Comparator.comparing(Resource::name, CodePointOrder.INSTANCE));
        return new Snapshot(unit, asOf, lastChange, false, List.copyOf(sorted), null);
    }

    /** Creates the snapshot of an empty unit. */
    static Snapshot empty(UnitId unit, Position asOf) {
        return new Snapshot(unit, asOf, 0, false, List.of(), null);
    }

    /**
     * Creates a snapshot from its {@link #packed} bytes, which are parsed when the resources are first requested.
     */
    public static Snapshot ofPayload(UnitId unit, Position asOf, long lastChange, byte[] payload) {
        return new Snapshot(unit, asOf, lastChange, false, null, payload);
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
        return new Snapshot(unit, asOf, lastChange, true, resources(), payload);
    }

    /** Returns the unit's resources, sorted by name in the order of code points. */
    public List<Resource> resources() {
        List<Resource> r = resources;
        if (r != null) {
            return r;
        }
        byte[] p = payload;
        if (p == null) {
            // another thread has just parsed the payload: it sets the resources before it clears the payload
            return Objects.requireNonNull(resources);
        }
        r = parse(unit, Packing.unpack(p));
        resources = r;
        // only one form is kept: with a million configurations, both would fill much of the heap
        payload = null;
        return r;
    }

    /**
     * Returns the view that a feature makes of the snapshot, computed once. Every caller of one snapshot must ask for
     * the same view.
     */
    @SuppressWarnings("unchecked")
    public <T> T view(Function<Snapshot, T> make) {
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
        return (T) v;
    }

    /** Returns the snapshot after further changes of its unit, which must be in order. */
    Snapshot patched(List<Change> changes, Position as) {
        List<Resource> sorted = new ArrayList<>(resources());
        for (Change change : changes) {
            Resource r = change.resource();
            int at = indexOf(sorted, r.name());
            if (!change.action().isRemoval()) {
                if (at >= 0) {
                    sorted.set(at, r);
                } else {
                    sorted.add(-at - 1, r);
                }
            } else if (at >= 0) {
                sorted.remove(at);
            }
        }
        long last =
                changes.isEmpty() ? lastChange : changes.get(changes.size() - 1).revision();
        return new Snapshot(unit, as, last, false, List.copyOf(sorted), null);
    }

    /**
     * Returns the index of a resource in a list that is sorted by name. If the resource does not exist, returns
     * {@code -1 - i}, where {@code i} is the index at which it would be inserted.
     */
    public static int indexOf(List<Resource> sorted, String name) {
        int low = 0;
        int high = sorted.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = CodePointOrder.INSTANCE.compare(sorted.get(middle).name(), name);
            if (order == 0) {
                return middle;
            } else if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1 - low;
    }

    /** Returns an estimate of the memory that the snapshot takes with its view, in bytes. */
    int bytes() {
        if (bytes == 0) {
            long sum = 200;
            for (Resource r : resources()) {
                sum += PER_RESOURCE
                        + (long) TIMES * r.row().length()
                        + r.sealed().bytes().length;
            }
            bytes = (int) Math.min(Integer.MAX_VALUE, sum);
        }
        return bytes;
    }

    /**
     * Returns the resources as bytes, for the grid, Redis and edges: JSON, compressed if it is long. They contain secret
     * values only as ciphertext.
     */
    public byte[] packed() {
        byte[] p = payload;
        if (p != null) {
            return Packing.pack(p);
        }
        ArrayNode all = Json.object().arrayNode();
        for (Resource r : resources()) {
            all.addArray()
                    .add(r.id())
                    .add(r.name())
                    .add(r.version())
                    .add(r.revision())
                    .add(r.fence())
                    .add(r.row())
                    .add(r.sealed().base64());
        }
        return Packing.pack(Json.bytes(all));
    }

    private static List<Resource> parse(UnitId unit, byte[] payload) {
        List<Resource> resources = new ArrayList<>();
        for (JsonNode r : Json.read(payload)) {
            resources.add(new Resource(
                    unit.kind(),
                    r.get(0).textValue(),
                    unit.environment(),
                    unit.serviceName(),
                    r.get(1).textValue(),
                    r.get(2).longValue(),
                    r.get(3).longValue(),
                    r.get(4).longValue(),
                    r.get(5).textValue(),
                    Sealed.ofBase64(r.get(6).textValue())));
        }
        return List.copyOf(resources);
    }
}
