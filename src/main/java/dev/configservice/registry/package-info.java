/**
 * Service instances and their leases. Registrations and changes of status go through the log. Heartbeats only renew the
 * lease, in the grid.
 */
@NullMarked
package dev.configservice.registry;

import org.jspecify.annotations.NullMarked;
