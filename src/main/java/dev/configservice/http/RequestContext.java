package dev.configservice.http;

import dev.configservice.access.Actor;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request on its way through the pipeline, with its state. Used only on its event loop. */
final class RequestContext {
    final HttpServerRequest request;
    final Map<String, String> parameters;
    final IdleConnections.Use connection;
    final long startedNanos = System.nanoTime();

    /** The request id; null until it is first needed. */
    @Nullable
    String id;

    /** The dialect of the route. A request without a route has the dialect of this service's own API. */
    Dialect dialect = ApiDialect.INSTANCE;

    /** The revision that the node had applied before the route's handler ran; -1 before it is known. */
    long applied = -1;

    /** Creates the context of a request with these path parameters, and marks its connection as busy. */
    RequestContext(HttpServerRequest request, Map<String, String> parameters, IdleConnections.Use connection) {
        this.request = request;
        this.parameters = parameters;
        this.connection = connection;
        connection.began(startedNanos);
    }

    /** True if the caller sent a credential, so that the response is for it alone. */
    boolean isPrivate;

    /** The identity of the caller; null if it has no valid credential, or before that is known. */
    @Nullable
    Actor actor;

    boolean isHead() {
        return request.method().equals(HttpMethod.HEAD);
    }

    boolean isRead() {
        return isHead() || request.method().equals(HttpMethod.GET);
    }
}
