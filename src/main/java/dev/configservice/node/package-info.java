/**
 * The composition roots of a core node and of an edge: their parts, the order in which these start, and the way they
 * stop. The package only constructs and has no logic of its own.
 */
@NullMarked
package dev.configservice.node;

import org.jspecify.annotations.NullMarked;
