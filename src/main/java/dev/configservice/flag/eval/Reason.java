package dev.configservice.flag.eval;

/** Why an evaluation came out as it did. */
public enum Reason {
    FLAG_NOT_FOUND,
    DISABLED,
    PREREQUISITE_FAILED,
    /** The user is listed, or a rule holds for it. */
    TARGETING_MATCH,
    /** The user's bucket decided. */
    SPLIT,
    /** On or off for all. */
    DEFAULT,
    /** A partial percentage, and no user to find a bucket for. */
    TARGETING_KEY_MISSING
}
