/**
 * The HTTP server, and the parts that all routes share: bodies, problem details, ETags, pages, request ids, access. The
 * package knows no feature; features contribute their routes.
 */
@NullMarked
package dev.configservice.http;

import org.jspecify.annotations.NullMarked;
