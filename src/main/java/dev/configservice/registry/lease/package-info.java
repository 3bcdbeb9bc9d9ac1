/**
 * The leases of instances, in the grid. They determine which node may decide on an instance, and when its lease
 * expires. This package knows nothing of instances except what {@link LeaseHolder} carries.
 */
@NullMarked
package dev.configservice.registry.lease;

import org.jspecify.annotations.NullMarked;
