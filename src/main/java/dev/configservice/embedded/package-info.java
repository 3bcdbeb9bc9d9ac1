/** PostgreSQL, Redis and Kafka started by the service itself, for installations on one machine and for tests. */
@NullMarked
package dev.configservice.embedded;

import org.jspecify.annotations.NullMarked;
