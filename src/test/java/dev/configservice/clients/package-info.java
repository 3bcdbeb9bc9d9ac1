/** Client libraries of other systems, in processes of their own, against this service: {@code mvn -P clients test}. */
@NullMarked
package dev.configservice.clients;

import org.jspecify.annotations.NullMarked;
