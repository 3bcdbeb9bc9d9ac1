/** The commands of the jar beside running the service. */
@NullMarked
package dev.configservice.cli;

import org.jspecify.annotations.NullMarked;
