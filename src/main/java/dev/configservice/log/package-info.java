/**
 * The log: commands in, changes out. Every write becomes one row of one log, in one order, and everything else (caches,
 * streams, Kafka, the audit) follows it. Knows no feature: a feature tells it how its resources change.
 */
@NullMarked
package dev.configservice.log;

import org.jspecify.annotations.NullMarked;
