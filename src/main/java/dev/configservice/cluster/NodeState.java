package dev.configservice.cluster;

/**
 * The state of this node: running, or about to stop. A node that is about to stop takes no new work, and finishes
 * the work that it has.
 */
public final class NodeState {
    private volatile boolean leaving;

    /** Marks this node as about to stop. */
    public void leave() {
        leaving = true;
    }

    public boolean isLeaving() {
        return leaving;
    }
}
