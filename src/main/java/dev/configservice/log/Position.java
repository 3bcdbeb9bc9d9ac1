package dev.configservice.log;

/**
 * A position in the log. Each change increases the revision by one. When the database went back in time (a restore),
 * the epoch increases and revisions jump ahead, so that a later position is always the higher one.
 */
public record Position(long epoch, long revision) implements Comparable<Position> {
    public static final Position ZERO = new Position(0, 0);

    @Override
    public int compareTo(Position o) {
        int byEpoch = Long.compare(epoch, o.epoch);
        return byEpoch != 0 ? byEpoch : Long.compare(revision, o.revision);
    }

    /**
     * Tells whether a state as of this position includes all changes up to revision {@code needed} of epoch
     * {@code inEpoch}.
     */
    public boolean covers(long inEpoch, long needed) {
        return epoch == inEpoch && revision >= needed;
    }
}
