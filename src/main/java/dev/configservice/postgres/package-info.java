/** The database: connections, deadlines, the meaning of its errors, and migrations. It knows no feature. */
@NullMarked
package dev.configservice.postgres;

import org.jspecify.annotations.NullMarked;
