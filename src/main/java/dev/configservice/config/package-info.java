/** Configurations: values by environment, service and key. */
@NullMarked
package dev.configservice.config;

import org.jspecify.annotations.NullMarked;
