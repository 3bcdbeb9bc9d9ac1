/** Active checks: this service asks instances how they are. */
@NullMarked
package dev.configservice.registry.check;

import org.jspecify.annotations.NullMarked;
