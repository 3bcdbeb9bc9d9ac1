/**
 * HTTP: the server, what all routes share (bodies, problems, ETags, pages, request ids, access). Knows no feature:
 * features give it their routes.
 */
@NullMarked
package dev.configservice.http;

import org.jspecify.annotations.NullMarked;
