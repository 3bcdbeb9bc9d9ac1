/** Sends changes to Kafka. The only place that knows Kafka. */
@NullMarked
package dev.configservice.change.kafka;

import org.jspecify.annotations.NullMarked;
