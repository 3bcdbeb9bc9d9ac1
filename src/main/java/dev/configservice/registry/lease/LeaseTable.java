package dev.configservice.registry.lease;

import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The leases of some of the services, as one entry of a map in the grid. Its owner and its backup keep it as this
 * object. Only the thread of its partition changes it, in place.
 *
 * <p>A renewal is as cheap as possible: it only stores the new deadline. Each lease also has a look: the second at
 * which the table checks whether the lease is overdue. A renewal does not move the look. When the look is due and the
 * lease is still alive, the look moves to the current deadline. So if a lease lasts three heartbeats, there is one look
 * for every two or three heartbeats.
 */
final class LeaseTable {
    private static final long LOOK_MILLIS = 1000;
    private static final long REMOVED = Long.MIN_VALUE;

    /** The number of skipped places in lists that a table may always have. */
    private static final int SPARE = 1000;

    private final Map<String, Held> leases = new HashMap<>();

    /**
     * The leases to look at in each second of the owner's clock. No look is later than the deadline of its lease. A lease
     * whose look has moved since, or that was removed, may still be in the list of its former look, and is skipped there.
     */
    private final NavigableMap<Long, List<Held>> looks = new TreeMap<>();

    /**
     * The number of places in the lists that are skipped. Leases that come and go leave them for as long as they would have
     * lasted, so the lists are made anew before more than half of all places are such.
     */
    private int skipped;

    /** The number of sweeps so far. */
    private long sweep;

    /**
     * One lease and the second of its look. Compared by identity. It is changed in place: a new object for each renewal
     * would be a reference from an old object to a young one, which costs the garbage collector extra work.
     */
    private static final class Held {
        private final String key;
        private long deadline;
        private long millis;
        private long generation;
        private boolean expired;
        /** The second of its look; {@link #REMOVED} after its removal. */
        private long look;

        /** The last sweep that found it due, so that its look stayed where it was. */
        private long sweep;

        Held(String key, Lease lease) {
            this.key = key;
            set(lease);
            this.look = second(lease.deadline());
        }

        void set(Lease lease) {
            deadline = lease.deadline();
            millis = lease.millis();
            generation = lease.generation();
            expired = lease.expired();
        }

        Lease lease() {
            return new Lease(deadline, millis, generation, expired);
        }
    }

    /** Returns the table of an entry; null if there is none, or if someone outside this cluster wrote something else. */
    static @Nullable LeaseTable of(Map.Entry<Integer, ?> entry) {
        return entry.getValue() instanceof LeaseTable table ? table : null;
    }

    private static long second(long millis) {
        return Math.floorDiv(millis, LOOK_MILLIS);
    }

    @Nullable
    Lease get(String key) {
        Held held = leases.get(key);
        return held == null ? null : held.lease();
    }

    void put(String key, Lease lease) {
        Held held = leases.get(key);
        if (held == null) {
            held = new Held(key, lease);
            leases.put(key, held);
            lookAt(held);
            return;
        }
        held.set(lease);
        lookNoLaterThan(held, second(lease.deadline()));
    }

    void remove(String key) {
        Held held = leases.remove(key);
        if (held != null) {
            held.look = REMOVED;
            skip();
        }
    }

    /** Gives each lease its full duration, counted from a time of the owner's clock. */
    void extend(long from) {
        for (Held held : leases.values()) {
            held.deadline = from + held.millis * (held.expired ? Lease.LEASES_TO_REMOVAL : 1);
            lookNoLaterThan(held, second(held.deadline));
        }
    }

    private void lookNoLaterThan(Held held, long second) {
        if (second < held.look) {
            held.look = second;
            lookAt(held);
            skip();
        }
    }

    /** Returns the keys of all leases. */
    Set<String> keys() {
        return leases.keySet();
    }

    /** Returns the keys of the leases that are overdue at a time of the owner's clock. */
    List<String> overdue(long now) {
        List<String> overdue = new ArrayList<>();
        sweep++;
        for (Long second : List.copyOf(looks.headMap(second(now), true).keySet())) {
            List<Held> stay = new ArrayList<>();
            for (Held held : Objects.requireNonNull(looks.remove(second))) {
                // a lease whose look went away and came back is in the list twice
                if (held.look != second || held.sweep == sweep) {
                    skipped--;
                    continue;
                }
                if (second(held.deadline) > second && held.deadline > now) {
                    held.look = second(held.deadline);
                    lookAt(held);
                    continue;
                }
                held.sweep = sweep;
                stay.add(held);
                if (held.deadline <= now) {
                    overdue.add(held.key);
                }
            }
            if (!stay.isEmpty()) {
                looks.put(second, stay);
            }
        }
        return overdue;
    }

    private void skip() {
        if (++skipped > leases.size() + SPARE) {
            looks.clear();
            leases.values().forEach(this::lookAt);
            skipped = 0;
        }
    }

    /** Returns the number of places in the lists. */
    int places() {
        return looks.values().stream().mapToInt(List::size).sum();
    }

    private void lookAt(Held held) {
        looks.computeIfAbsent(held.look, s -> new ArrayList<>()).add(held);
    }

    /** Merges the tables of two halves of the grid after a split. For each instance, one of its two leases is kept. */
    LeaseTable mergedWith(LeaseTable other) {
        LeaseTable merged = new LeaseTable();
        leases.forEach((key, held) -> merged.put(key, held.lease()));
        other.leases.forEach((key, held) -> {
            Lease here = merged.get(key);
            Lease there = held.lease();
            if (here == null || there.holdsAgainst(here)) {
                merged.put(key, there);
            }
        });
        return merged;
    }

    static final class Serializer implements CompactSerializer<LeaseTable> {
        @Override
        public LeaseTable read(CompactReader r) {
            String[] keys = Objects.requireNonNull(r.readArrayOfString("keys"));
            long[] deadlines = Objects.requireNonNull(r.readArrayOfInt64("deadlines"));
            long[] millis = Objects.requireNonNull(r.readArrayOfInt64("millis"));
            long[] generations = Objects.requireNonNull(r.readArrayOfInt64("generations"));
            boolean[] expired = Objects.requireNonNull(r.readArrayOfBoolean("expired"));
            LeaseTable table = new LeaseTable();
            for (int i = 0; i < keys.length; i++) {
                table.put(keys[i], new Lease(deadlines[i], millis[i], generations[i], expired[i]));
            }
            return table;
        }

        @Override
        public void write(CompactWriter w, LeaseTable table) {
            int size = table.leases.size();
            String[] keys = new String[size];
            long[] deadlines = new long[size];
            long[] millis = new long[size];
            long[] generations = new long[size];
            boolean[] expired = new boolean[size];
            int i = 0;
            for (Held held : table.leases.values()) {
                keys[i] = held.key;
                deadlines[i] = held.deadline;
                millis[i] = held.millis;
                generations[i] = held.generation;
                expired[i] = held.expired;
                i++;
            }
            w.writeArrayOfString("keys", keys);
            w.writeArrayOfInt64("deadlines", deadlines);
            w.writeArrayOfInt64("millis", millis);
            w.writeArrayOfInt64("generations", generations);
            w.writeArrayOfBoolean("expired", expired);
        }

        @Override
        public String getTypeName() {
            return "lease-table";
        }

        @Override
        public Class<LeaseTable> getCompactClass() {
            return LeaseTable.class;
        }
    }
}
