/** Templates for new services: configurations and flags with parameters, applied as change sets. */
@NullMarked
package dev.configservice.template;

import org.jspecify.annotations.NullMarked;
