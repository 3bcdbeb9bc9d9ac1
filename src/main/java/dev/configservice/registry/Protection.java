package dev.configservice.registry;

import org.jspecify.annotations.Nullable;

/** Whether this node holds expiry back, and why. */
final class Protection {
    private volatile @Nullable String reason;

    @Nullable
    String reason() {
        return reason;
    }

    boolean isOn() {
        return reason != null;
    }

    /** Sets or (with null) lifts it; whether that is a change. */
    boolean set(@Nullable String newReason) {
        boolean changes = (reason == null) != (newReason == null);
        reason = newReason;
        return changes;
    }
}
