/** The web console: serves its files, which are static, and what they need to know of the settings. */
@NullMarked
package dev.configservice.console;

import org.jspecify.annotations.NullMarked;
