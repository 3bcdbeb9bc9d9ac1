/** Versioned resources over HTTP, whatever their kind: by id, with history and rollback. */
@NullMarked
package dev.configservice.resource;

import org.jspecify.annotations.NullMarked;
