/**
 * The facade for clients of Spring Cloud Config: an application and its profiles name layers of configurations, which are
 * answered as property sources, or merged into one document. It reads {@link dev.configservice.config.Configurations}.
 */
@NullMarked
package dev.configservice.facade.spring;

import org.jspecify.annotations.NullMarked;
