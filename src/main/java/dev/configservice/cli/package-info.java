/** The commands of the jar besides running the service. */
@NullMarked
package dev.configservice.cli;

import org.jspecify.annotations.NullMarked;
