/** JSON as the service reads and writes it: strict, exact, bounded. */
@NullMarked
package dev.configservice.json;

import org.jspecify.annotations.NullMarked;
