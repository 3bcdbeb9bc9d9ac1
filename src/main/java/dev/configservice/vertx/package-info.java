/**
 * Extensions of Vert.x: futures, messages that stay on this node, one verticle for each event loop, pauses between
 * retries, and values that are written in batches. They know nothing of this service except its errors.
 */
@NullMarked
package dev.configservice.vertx;

import org.jspecify.annotations.NullMarked;
