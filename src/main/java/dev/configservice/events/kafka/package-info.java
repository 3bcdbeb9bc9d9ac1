/** The fan-out of changes to a Kafka topic. */
@NullMarked
package dev.configservice.events.kafka;

import org.jspecify.annotations.NullMarked;
