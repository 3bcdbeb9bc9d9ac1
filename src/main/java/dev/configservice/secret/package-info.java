/** The sealing and opening of encrypted values, with Tink. Opened values are not kept. */
@NullMarked
package dev.configservice.secret;

import org.jspecify.annotations.NullMarked;
