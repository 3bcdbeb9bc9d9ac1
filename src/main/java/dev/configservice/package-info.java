/** The service: settings, composition, start and stop. */
@NullMarked
package dev.configservice;

import org.jspecify.annotations.NullMarked;
