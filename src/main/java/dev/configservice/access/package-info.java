/**
 * The vocabulary of access: callers, rights, scopes, and the interface for authentication. It depends only on
 * {@code error}; API keys and tokens are in {@code credential}.
 */
@NullMarked
package dev.configservice.access;

import org.jspecify.annotations.NullMarked;
