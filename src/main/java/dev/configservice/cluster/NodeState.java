package dev.configservice.cluster;

/** Whether this node means to go on, or is about to stop: it then takes no new work, and ends what it has. */
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
