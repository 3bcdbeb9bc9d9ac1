/** API keys and JSON web tokens: how callers are authenticated, and the routes that manage keys. */
@NullMarked
package dev.configservice.credential;

import org.jspecify.annotations.NullMarked;
