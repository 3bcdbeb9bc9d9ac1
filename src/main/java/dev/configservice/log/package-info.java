/**
 * The log: commands in, changes out. Every write becomes one row of one log, in one order. Everything else (caches,
 * streams, Kafka, the audit) follows the log. This package knows no feature: each feature supplies a
 * {@link ResourceKind} with the rules for its resources.
 */
@NullMarked
package dev.configservice.log;

import org.jspecify.annotations.NullMarked;
