package dev.configservice.log;

/**
 * A point in the log. Revisions rise by one from commit to commit; the epoch rises where the log went back (a restore)
 * and revisions jumped, so that a later position is always the higher one.
 */
public record Position(long epoch, long revision) implements Comparable<Position> {
    public static final Position ZERO = new Position(0, 0);

    @Override
    public int compareTo(Position o) {
        int byEpoch = Long.compare(epoch, o.epoch);
        return byEpoch != 0 ? byEpoch : Long.compare(revision, o.revision);
    }

    /**
     * Tells whether a state as of this position includes everything up to revision {@code needed} of epoch {@code
     * inEpoch}.
     */
    public boolean covers(long inEpoch, long needed) {
        return epoch == inEpoch && revision >= needed;
    }
}
