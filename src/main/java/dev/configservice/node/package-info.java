/**
 * The composition roots: what a core node and an edge are made of, in which order, and how they stop. Constructs; has no
 * logic of its own.
 */
@NullMarked
package dev.configservice.node;

import org.jspecify.annotations.NullMarked;
