package dev.configservice.log;

import dev.configservice.log.Change.Hash;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The last changes that this node has applied, in memory, limited in number and size. With them, a snapshot is brought
 * up to date without a load, and a stream resumes without a query. Safe for use by several threads.
 */
public final class RecentChanges {
    private static final int MAX_CHANGES = 16_384;
    private static final long MAX_CHARS = 32L << 20;
    /** The maximum size of a page. A page with a single change may exceed it. */
    private static final long PAGE_CHARS = 1L << 20;

    private final Deque<Change> all = new ArrayDeque<>();
    private final Map<UnitId, Deque<Change>> byUnit = new HashMap<>();
    private long chars;
    private long floor;
    private Hash floorHash = new Hash("");

    /** Drops all changes, and starts to collect those after {@code revision}, which has this hash. */
    synchronized void reset(long revision, Hash hash) {
        floorHash = hash;
        all.clear();
        byUnit.clear();
        chars = 0;
        floor = revision;
    }

    /** Adds changes that are applied together: a reader gets all of them, or none. */
    synchronized void add(List<Change> together) {
        for (Change change : together) {
            all.addLast(change);
            byUnit.computeIfAbsent(change.resource().unit(), u -> new ArrayDeque<>(2))
                    .addLast(change);
            chars += change.size();
        }
        while (all.size() > MAX_CHANGES || (chars > MAX_CHARS && all.size() > 1)) {
            Change oldest = all.removeFirst();
            chars -= oldest.size();
            floor = oldest.revision();
            floorHash = oldest.hash();
            UnitId unit = oldest.resource().unit();
            Deque<Change> ofUnit = byUnit.get(unit);
            if (ofUnit != null) {
                ofUnit.removeFirst();
                if (ofUnit.isEmpty()) {
                    byUnit.remove(unit);
                }
            }
        }
    }

    /** Returns the hash of a revision; null if it is not in memory. */
    public synchronized @Nullable Hash hashAt(long revision) {
        if (revision == floor) {
            return floorHash;
        }
        for (Iterator<Change> it = all.descendingIterator(); it.hasNext(); ) {
            Change change = it.next();
            if (change.revision() == revision) {
                return change.hash();
            }
        }
        return null;
    }

    /** Returns the changes of a unit after a revision, in order; null if some of them are no longer in memory. */
    public synchronized @Nullable List<Change> ofUnit(UnitId unit, long aboveRevision) {
        if (aboveRevision < floor) {
            return null;
        }
        Deque<Change> ofUnit = byUnit.get(unit);
        return ofUnit == null ? new ArrayList<>() : above(ofUnit, aboveRevision);
    }

    /** Tells whether a change of a unit is in memory. */
    public synchronized boolean hasOf(UnitId unit) {
        return byUnit.containsKey(unit);
    }

    /**
     * Returns the next changes after a revision, in order and at most {@code limit}, but with the rest of a change set;
     * null if some of them are no longer in memory.
     */
    public synchronized @Nullable List<Change> after(long revision, int limit) {
        if (revision < floor) {
            return null;
        }
        List<Change> found = above(all, revision);
        long size = 0;
        for (int i = 0; i < Math.min(found.size(), limit); i++) {
            size += found.get(i).size();
            if (size > PAGE_CHARS && i > 0) {
                return whole(found, i);
            }
        }
        return found.size() > limit ? whole(found, limit) : found;
    }

    /** Returns the first changes of a list, with the rest of the set in which the last of them is. */
    private static List<Change> whole(List<Change> found, int size) {
        SetMember last = found.get(size - 1).set();
        int end = last == null ? size : Math.min(found.size(), size + last.left());
        return new ArrayList<>(found.subList(0, end));
    }

    /** Searches from the end, because readers ask for the last few changes far more often than for many. */
    private static List<Change> above(Deque<Change> changes, long revision) {
        List<Change> found = new ArrayList<>();
        for (Iterator<Change> it = changes.descendingIterator(); it.hasNext(); ) {
            Change change = it.next();
            if (change.revision() <= revision) {
                break;
            }
            found.add(change);
        }
        Collections.reverse(found);
        return found;
    }
}
