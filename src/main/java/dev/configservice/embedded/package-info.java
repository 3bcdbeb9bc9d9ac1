/** Real PostgreSQL, Redis and Kafka on this machine, for one machine and for the tests. */
@NullMarked
package dev.configservice.embedded;

import org.jspecify.annotations.NullMarked;
