/** API keys and JSON web tokens: the authentication of callers, and the routes that manage keys. */
@NullMarked
package dev.configservice.credential;

import org.jspecify.annotations.NullMarked;
