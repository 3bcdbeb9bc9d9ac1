/** Feature flags: their definitions, their routes, their usage. The evaluator itself is in {@code flag.eval}. */
@NullMarked
package dev.configservice.flag;

import org.jspecify.annotations.NullMarked;
