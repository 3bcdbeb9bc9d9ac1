/**
 * The evaluation of feature flags. It is pure: no Vert.x, no input or output, no clock, only the JDK and RE2/J. The
 * same flags, user and context give the same result on every node, and in any other implementation of the same rules.
 */
@NullMarked
package dev.configservice.flag.eval;

import org.jspecify.annotations.NullMarked;
