/**
 * The facade for clients of Consul that register services, check them and find them. It reads and writes
 * {@link dev.configservice.registry.Registry}.
 */
@NullMarked
package dev.configservice.facade.consul;

import org.jspecify.annotations.NullMarked;
