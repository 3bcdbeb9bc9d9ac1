package dev.configservice.registry.lease;

/** What the log must be told of a step of a lease. */
public sealed interface LeaseResult {
    /** Nothing. */
    record Silent() implements LeaseResult {}

    /** A decision on the status of the instance, which holds against all of a lower generation. */
    record Decided(long generation) implements LeaseResult {}

    /** The lease ended a second time: the instance is to be removed, unless the log has a later decision. */
    record Removed(long generation) implements LeaseResult {}

    LeaseResult SILENT = new Silent();
}
