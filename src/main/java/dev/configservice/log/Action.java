package dev.configservice.log;

import java.util.Locale;

/** The effect of a change on its resource. */
public enum Action {
    CREATED,
    UPDATED,
    DELETED,
    ROLLED_BACK,
    REGISTERED,
    STATUS_CHANGED,
    DEREGISTERED,
    EXPIRED,
    /** A new epoch of the log; consumers never see it. */
    EPOCH;

    /** Returns the name in the API and in the log. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Action of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }

    /** Tells whether the change removes the resource. */
    public boolean isRemoval() {
        return this == DELETED || this == DEREGISTERED;
    }
}
