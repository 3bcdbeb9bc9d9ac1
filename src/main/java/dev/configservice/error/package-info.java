/** What can go wrong, by a code. Knows only the JDK: no HTTP, no Vert.x. */
@NullMarked
package dev.configservice.error;

import org.jspecify.annotations.NullMarked;
