/** The log as an audit trail, its hash chain, and the record of who read which secret. */
@NullMarked
package dev.configservice.events.audit;

import org.jspecify.annotations.NullMarked;
