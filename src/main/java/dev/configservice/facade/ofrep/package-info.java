/**
 * The facade for OpenFeature clients: OFREP, the remote evaluation protocol of OpenFeature, in version 0.3. It evaluates
 * like this service's own API, over {@link dev.configservice.flag.Flags}.
 */
@NullMarked
package dev.configservice.facade.ofrep;

import org.jspecify.annotations.NullMarked;
