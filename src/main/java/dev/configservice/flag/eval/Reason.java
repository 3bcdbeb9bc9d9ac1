package dev.configservice.flag.eval;

/** The reason for the result of an evaluation. */
public enum Reason {
    FLAG_NOT_FOUND,
    DISABLED,
    PREREQUISITE_FAILED,
    /** The user is listed, or a rule holds for it. */
    TARGETING_MATCH,
    /** The user's bucket decided. */
    SPLIT,
    /** The flag is on or off for all users. */
    DEFAULT,
    /** The percentage is partial, but there is no user id to find a bucket for. */
    TARGETING_KEY_MISSING
}
