/**
 * Tools for Vert.x that know nothing of this service but its errors: futures, messages that stay on this node, one
 * verticle for each event loop, pauses between attempts, values that are written in batches.
 */
@NullMarked
package dev.configservice.vertx;

import org.jspecify.annotations.NullMarked;
