/**
 * Snapshots: immutable copies of whole units, so that reads are answered from memory. A snapshot is looked up in the
 * near cache, the grid, Redis and PostgreSQL, in this order. It is used only if it contains all changes of its unit
 * that this node has applied.
 */
@NullMarked
package dev.configservice.snapshot;

import org.jspecify.annotations.NullMarked;
