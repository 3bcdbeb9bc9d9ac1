/** Who calls, and what a caller may do: API keys, JSON web tokens, rights. */
@NullMarked
package dev.configservice.access;

import org.jspecify.annotations.NullMarked;
