package dev.configservice.http;

import io.vertx.core.Future;

/** Answers requests that need the log on a node that does not have it. */
public interface Forwarder {
    /**
     * Forwards a request.
     *
     * @param route the route's method and path, e.g. {@code GET /config}
     */
    Future<Response> forward(String route, Request request);
}
