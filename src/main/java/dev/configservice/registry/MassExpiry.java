package dev.configservice.registry;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The decision how many overdue leases may end now. Where more of all instances would go at once than is likely to be true,
 * this node may be the one that is wrong: their end is held back for a while, and then goes on at a limited rate. It only
 * remembers the ends of late; time is given by the caller, in the leases' milliseconds.
 */
final class MassExpiry {
    /** Fewer instances are never protected: one of three may well be gone. */
    static final int LEAST_FOR_PROTECTION = 10;

    private final double threshold;
    private final int maxLeases;
    private final Deque<Long> recentEnds = new ArrayDeque<>();
    /** When it began to hold back; null where it does not. */
    private @Nullable Long since;

    /**
     * Decides by a share of all instances.
     *
     * @param threshold the share, 0 to 1, of which more are held back
     * @param maxLeases how many of the longest overdue lease they are held back at most
     */
    MassExpiry(double threshold, int maxLeases) {
        this.threshold = threshold;
        this.maxLeases = maxLeases;
    }

    /**
     * The instances at a moment.
     *
     * @param live those that are not unhealthy
     * @param going those of them whose lease is overdue
     * @param longestLease the longest lease of all that are overdue
     */
    record Fleet(int live, int going, Duration longestLease) {}

    /**
     * A decision.
     *
     * @param mayEnd how many leases may end now
     * @param heldBack why not more; null where nothing is held back
     */
    record Decision(int mayEnd, @Nullable String heldBack) {}

    /** Notes that a lease ended, whichever node decided it. */
    void ended(long nowMillis) {
        recentEnds.add(nowMillis);
    }

    /** Forgets ends that are older than any lease is long. */
    void forgetOld(long nowMillis) {
        forgetBefore(nowMillis - Duration.ofSeconds(Instance.MAX_LEASE_SECONDS).toMillis());
    }

    private void forgetBefore(long millis) {
        while (!recentEnds.isEmpty() && recentEnds.getFirst() < millis) {
            recentEnds.removeFirst();
        }
    }

    /** Notes that no lease is overdue. */
    void nothingOverdue() {
        since = null;
    }

    /** Decides how many leases may end. */
    Decision decide(long nowMillis, Fleet fleet) {
        long longestMillis = fleet.longestLease().toMillis();
        forgetBefore(nowMillis - longestMillis);
        int all = fleet.live() + recentEnds.size();
        int gone = fleet.going() + recentEnds.size();
        double allowed = Math.max(LEAST_FOR_PROTECTION, all) * threshold;
        if (fleet.going() == 0 || all < LEAST_FOR_PROTECTION || gone <= allowed) {
            since = null;
            return new Decision(Integer.MAX_VALUE, null);
        }
        String reason = gone + " of " + all + " instances would expire within one lease; more than " + threshold
                + " of them is held back";
        Long began = since;
        if (began == null) {
            began = nowMillis;
            since = began;
        }
        if (nowMillis - began < longestMillis * maxLeases) {
            return new Decision(0, reason);
        }
        // held back long enough: from now on as many within one lease as the threshold allows, but one at least
        int least = recentEnds.isEmpty() ? 1 : 0;
        return new Decision((int) Math.max(least, allowed - recentEnds.size()), reason);
    }
}
