/**
 * The vocabulary of access: callers, rights, scopes, and who authenticates. Knows errors only; API keys and tokens are in
 * {@code credential}.
 */
@NullMarked
package dev.configservice.access;

import org.jspecify.annotations.NullMarked;
