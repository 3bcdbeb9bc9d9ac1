package dev.configservice.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request on its way through the pipeline, and what is known of it; touched only on its event loop. */
final class RequestContext {
    final HttpServerRequest request;
    final Map<String, String> parameters;
    final IdleConnections.Use connection;
    final long startedNanos = System.nanoTime();

    /** Its id, once it is needed. */
    @Nullable
    String id;

    /** The dialect of its route; of a request without one, that of this service's own API. */
    Dialect dialect = ApiDialect.INSTANCE;

    /** What the node had applied when the request began; -1 before that is known. */
    long applied = -1;

    /** A request whose path has these parameters; its connection is busy with it from now on. */
    RequestContext(HttpServerRequest request, Map<String, String> parameters, IdleConnections.Use connection) {
        this.request = request;
        this.parameters = parameters;
        this.connection = connection;
        connection.began(startedNanos);
    }

    boolean isHead() {
        return request.method().equals(HttpMethod.HEAD);
    }

    boolean isRead() {
        return isHead() || request.method().equals(HttpMethod.GET);
    }
}
