/**
 * The facade for clients of Eureka, as Netflix and Spring have them, and for the service discovery of Prometheus that reads
 * Eureka. It reads and writes {@link dev.configservice.registry.Registry}.
 */
@NullMarked
package dev.configservice.facade.eureka;

import org.jspecify.annotations.NullMarked;
