package dev.configservice.registry.lease;

/**
 * The lease of an instance.
 *
 * @param deadline when it ends, in the owner's time
 * @param millis how long it lasts when it is renewed
 * @param generation counts the decisions on the instance's status; the log takes each only in this order
 * @param expired whether it has ended once already: when it ends again, the instance is removed
 */
record Lease(long deadline, long millis, long generation, boolean expired) {
    /** How many leases after its end an instance is removed. */
    static final int LEASES_TO_REMOVAL = 10;

    /**
     * Whether this one holds and not the other, when two halves of the grid find each other again: the one with the later
     * decision on the instance's status does, else the one that ends later.
     */
    boolean holdsAgainst(Lease other) {
        return generation != other.generation ? generation > other.generation : deadline > other.deadline;
    }
}
