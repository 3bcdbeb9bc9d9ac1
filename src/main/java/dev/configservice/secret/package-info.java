/** Sealing and opening of encrypted values, with Tink. Nothing opened is kept. */
@NullMarked
package dev.configservice.secret;

import org.jspecify.annotations.NullMarked;
