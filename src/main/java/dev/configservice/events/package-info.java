/**
 * Events: the view of the log for consumers, and the filter that selects the events that a consumer wants and may
 * see.
 */
@NullMarked
package dev.configservice.events;

import org.jspecify.annotations.NullMarked;
