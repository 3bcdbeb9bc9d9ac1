/** Changes in pages, by long poll, and as Server-Sent Events. */
@NullMarked
package dev.configservice.events.stream;

import org.jspecify.annotations.NullMarked;
