package dev.configservice.registry.lease;

/**
 * The lease of an instance.
 *
 * @param deadline the time at which it becomes overdue, in milliseconds of the owner's clock
 * @param millis the duration that each renewal gives it
 * @param generation the number of the last decision on the instance's status; the log accepts only increasing numbers
 * @param expired whether it has already expired once; when it expires again, the instance is removed
 */
record Lease(long deadline, long millis, long generation, boolean expired) {
    /** The time from the expiry of a lease to the removal of its instance, as a multiple of the lease's duration. */
    static final int LEASES_TO_REMOVAL = 10;

    /**
     * Tells whether this lease wins over the other one when the grid merges after a split. The lease with the later
     * decision on the instance's status wins. If both have the same decision, the one with the later deadline wins.
     */
    boolean holdsAgainst(Lease other) {
        return generation != other.generation ? generation > other.generation : deadline > other.deadline;
    }
}
