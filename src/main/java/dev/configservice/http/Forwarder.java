package dev.configservice.http;

import io.vertx.core.Future;
import java.util.function.Function;

/** The component that answers requests to routes that need the log. */
@FunctionalInterface
public interface Forwarder {
    /** The forwarder of a node that has the log: the route's own handler answers. */
    Forwarder NONE = (route, answer, request) -> answer.apply(request);

    /**
     * Answers a request.
     *
     * @param route the route's {@link Route#name}
     * @param answer the route's own handler
     */
    Future<Response> forward(String route, Function<Request, Future<Response>> answer, Request request);
}
