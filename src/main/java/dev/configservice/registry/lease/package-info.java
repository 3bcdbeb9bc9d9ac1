/**
 * The leases of instances, in the grid: who may decide on an instance, and when its lease ends. Knows no instance.
 */
@NullMarked
package dev.configservice.registry.lease;

import org.jspecify.annotations.NullMarked;
