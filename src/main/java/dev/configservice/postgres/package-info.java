/** The database: connections, deadlines, what its errors mean, migrations. Knows no feature. */
@NullMarked
package dev.configservice.postgres;

import org.jspecify.annotations.NullMarked;
