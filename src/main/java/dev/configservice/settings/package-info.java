/** The settings: one record for each section of {@code conf/config-service.yaml}, checked before anything starts. */
@NullMarked
package dev.configservice.settings;

import org.jspecify.annotations.NullMarked;
