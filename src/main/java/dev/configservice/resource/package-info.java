/** Versioned resources of every kind over HTTP: access by id, history, and rollback. */
@NullMarked
package dev.configservice.resource;

import org.jspecify.annotations.NullMarked;
