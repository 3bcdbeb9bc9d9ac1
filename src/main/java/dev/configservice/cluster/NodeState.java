package dev.configservice.cluster;

/**
 * The state of this node: running, or about to stop. A node that is about to stop takes no new work, and finishes
 * what it has.
 */
public final class NodeState {
    private volatile boolean leaving;

    /** From now on this node is about to stop. */
    public void leave() {
        leaving = true;
    }

    public boolean isLeaving() {
        return leaving;
    }
}
