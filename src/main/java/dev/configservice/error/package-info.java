/** Failures and their codes. The package knows only the JDK: no HTTP, no Vert.x. */
@NullMarked
package dev.configservice.error;

import org.jspecify.annotations.NullMarked;
