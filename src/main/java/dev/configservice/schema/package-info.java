/** Schemas: rules for the values of configurations, as JSON Schema. Knows values and keys, but no configuration. */
@NullMarked
package dev.configservice.schema;

import org.jspecify.annotations.NullMarked;
