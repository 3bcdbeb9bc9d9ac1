/** Active checks: this service calls instances to find out their health. It knows the registry and its leases. */
@NullMarked
package dev.configservice.registry.check;

import org.jspecify.annotations.NullMarked;
