/** Export and import: configurations and flags as documents that can be kept in Git, and flat files of one layer. */
@NullMarked
package dev.configservice.transfer;

import org.jspecify.annotations.NullMarked;
