/**
 * Snapshots: what one read needs, whole and immutable, from memory. Near cache, grid, Redis, PostgreSQL, in this order,
 * and only if a snapshot is as new as what this node has applied of the log.
 */
@NullMarked
package dev.configservice.snapshot;

import org.jspecify.annotations.NullMarked;
