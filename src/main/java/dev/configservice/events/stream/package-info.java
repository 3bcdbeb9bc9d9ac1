/** Changes in pages, by long poll, and as server-sent events. */
@NullMarked
package dev.configservice.events.stream;

import org.jspecify.annotations.NullMarked;
