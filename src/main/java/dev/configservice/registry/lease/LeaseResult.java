package dev.configservice.registry.lease;

/** The result of a step of a lease: the decision, if any, that must be written to the log. */
public sealed interface LeaseResult {
    /** No decision: nothing is written. */
    record Silent() implements LeaseResult {}

    /** A decision on the status of the instance. It overrides all decisions of a lower generation. */
    record Decided(long generation) implements LeaseResult {}

    /** The second expiry of a lease: the instance must be removed, unless the log has a later decision. */
    record Removed(long generation) implements LeaseResult {}

    LeaseResult SILENT = new Silent();
}
