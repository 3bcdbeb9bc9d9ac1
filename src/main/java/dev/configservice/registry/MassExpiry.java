package dev.configservice.registry;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The policy that decides how many overdue leases may expire now. If an unlikely share of all instances would expire at
 * once, this node itself may be at fault. Expiry is then held back for a while, and after that it continues at a
 * limited rate.
 *
 * <p>The only state is the time at which holding back started, and the leases that expired recently. The caller passes
 * the current time, in milliseconds of the lease clock.
 */
final class MassExpiry {
    /** The smallest number of instances that is protected. In a smaller fleet, one of three may really be gone. */
    static final int LEAST_FOR_PROTECTION = 10;

    private final double threshold;
    private final int maxLeases;
    private final Deque<Long> recentEnds = new ArrayDeque<>();
    /** The time at which expiry was first held back, or null if it is not. */
    private @Nullable Long since;

    /**
     * Creates a policy for one node.
     *
     * @param threshold the share of all instances, from 0 to 1, above which expiry is held back
     * @param maxLeases the longest time to hold expiry back, as a multiple of the longest overdue lease
     */
    MassExpiry(double threshold, int maxLeases) {
        this.threshold = threshold;
        this.maxLeases = maxLeases;
    }

    /**
     * The counts of instances at one moment.
     *
     * @param live the instances that are not unhealthy
     * @param going the live instances whose lease is overdue
     * @param longestLease the longest duration of all overdue leases
     */
    record Fleet(int live, int going, Duration longestLease) {}

    /**
     * A decision of the policy.
     *
     * @param mayEnd the number of leases that may expire now
     * @param heldBack the reason for the limit; null if nothing is held back
     */
    record Decision(int mayEnd, @Nullable String heldBack) {}

    /** Records that a lease expired, on this node or another one. */
    void ended(long nowMillis) {
        recentEnds.add(nowMillis);
    }

    /** Forgets the leases that expired longer ago than the longest possible lease lasts. */
    void forgetOld(long nowMillis) {
        forgetBefore(nowMillis - Duration.ofSeconds(Instance.MAX_LEASE_SECONDS).toMillis());
    }

    private void forgetBefore(long millis) {
        while (!recentEnds.isEmpty() && recentEnds.getFirst() < millis) {
            recentEnds.removeFirst();
        }
    }

    /** Records that no lease is overdue. Holding back then starts over the next time. */
    void nothingOverdue() {
        since = null;
    }

    /**
     * Returns a member's share of what all members together may let expire now: all members decide at about the same
     * time. The first one also gets the rest of the division.
     */
    static int share(int mayEnd, Set<UUID> members, UUID self) {
        int count = Math.max(1, members.size());
        boolean isFirst = members.stream().allMatch(m -> self.compareTo(m) <= 0);
        return mayEnd / count + (isFirst ? mayEnd % count : 0);
    }

    /** Decides how many leases may expire now. */
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
        String reason = gone + " of " + all + " instances would expire within one lease; the threshold is " + threshold
                + " of all (registry.protection-threshold)";
        Long began = since;
        if (began == null) {
            began = nowMillis;
            since = began;
        }
        if (nowMillis - began < longestMillis * maxLeases) {
            return new Decision(0, reason);
        }
        // held back long enough: from now on, the threshold limits how many expire within one lease (at least one)
        int least = recentEnds.isEmpty() ? 1 : 0;
        return new Decision((int) Math.max(least, allowed - recentEnds.size()), reason);
    }
}
