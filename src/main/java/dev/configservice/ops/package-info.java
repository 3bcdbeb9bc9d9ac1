/** Operations: liveness, readiness, health, metrics, and the description of the API. */
@NullMarked
package dev.configservice.ops;

import org.jspecify.annotations.NullMarked;
