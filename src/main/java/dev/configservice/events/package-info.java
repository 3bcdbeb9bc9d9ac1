/** What the log tells the outside: events, and which of them a consumer wants and may see. */
@NullMarked
package dev.configservice.events;

import org.jspecify.annotations.NullMarked;
