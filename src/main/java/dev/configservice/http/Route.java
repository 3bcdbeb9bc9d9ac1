package dev.configservice.http;

import dev.configservice.access.Right;
import dev.configservice.json.StringRule;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A route: the properties that the server needs before it calls the handler, and the handler.
 *
 * @param base the beginning of the path, e.g. {@code /api/v1}; empty at the root
 * @param path the rest of the path, with parameters as {@code :name}; the last one may be {@code *name}, all that follows
 * @param right the right that the caller needs, checked before the body is read; null if none is needed
 * @param parameters the known query parameters, each with its rule; others are refused. A name that ends with {@code *}
 *     matches all names with that prefix
 * @param needsLog whether the route writes, or reads the log or the database. An edge forwards such requests to a core
 *     node
 * @param takesBody whether the route reads a body
 * @param maxBody the size of the largest body that a caller with a credential may send, in bytes
 * @param dialect the content types that the route accepts, and the form of its errors
 */
public record Route(
        String method,
        String base,
        String path,
        @Nullable Right right,
        Map<String, StringRule> parameters,
        boolean needsLog,
        boolean takesBody,
        int maxBody,
        Dialect dialect,
        Handler handler) {
    /** The base of this service's own API. */
    public static final String API = "/api/v1";

    /** The query parameter that asks for an earlier state, which only a node with the log can tell. */
    public static final String AT = "at";

    /** The query parameter that carries a credential in cases where a browser cannot send a header. */
    public static final String ACCESS_TOKEN = "access_token";

    /** The handler of a route's requests. */
    public sealed interface Handler {
        /** A handler that returns a complete response. */
        record Answering(Function<Request, Future<Response>> answer) implements Handler {}

        /** A handler that writes its response in pieces. A failure before the first byte is answered like any other. */
        record Streaming(Function<Exchange, Future<Void>> open) implements Handler {}
    }

    /** A request and its response. The headers that every response carries are set, but nothing has been sent yet. */
    public record Exchange(Request request, HttpServerResponse response) {}

    /**
     * The beginning of a route of another system's protocol, which has a dialect of its own.
     *
     * @param path the whole path, below one of the dialect's roots
     */
    public record Facade(String method, String path, Map<String, StringRule> parameters, Dialect dialect) {
        /** Returns the route with its handler. */
        public Route answeredBy(Function<Request, Future<Response>> answer) {
            return of(new Handler.Answering(answer));
        }

        /** Returns the route with a handler whose response is a stream. */
        public Route opening(Function<Exchange, Future<Void>> open) {
            return of(new Handler.Streaming(open));
        }

        private Route of(Handler handler) {
            int base = path.indexOf('/', 1);
            return Route.of(method, path.substring(0, base), path.substring(base), handler)
                    .with(parameters)
                    .in(dialect);
        }
    }

    private Route in(Dialect other) {
        return new Route(method, base, path, right, parameters, needsLog, takesBody, maxBody, other, handler);
    }

    private static Route of(String method, String base, String path, Handler handler) {
        boolean takesBody = method.equals("POST") || method.equals("PUT");
        return new Route(
                method, base, path, null, Map.of(), false, takesBody, Bodies.MAX_BYTES, ApiDialect.INSTANCE, handler);
    }

    /** Returns a route of this service's API. */
    public static Route api(String method, String path, Function<Request, Future<Response>> answer) {
        return of(method, API, path, new Handler.Answering(answer));
    }

    /** Returns a GET route of this service's API whose response is a stream. */
    public static Route stream(String path, Function<Exchange, Future<Void>> open) {
        return of("GET", API, path, new Handler.Streaming(open));
    }

    /** Returns a GET route at the root, open to all callers. */
    public static Route root(String path, Function<Request, Future<Response>> answer) {
        return of("GET", "", path, new Handler.Answering(answer));
    }

    /** Returns the same route, but only for callers with a right. */
    public Route needs(Right needed) {
        return new Route(method, base, path, needed, parameters, needsLog, takesBody, maxBody, dialect, handler);
    }

    /** Returns the same route with these query parameters. */
    public Route with(Map<String, StringRule> known) {
        return new Route(method, base, path, right, Map.copyOf(known), needsLog, takesBody, maxBody, dialect, handler);
    }

    /** Returns the same route with another handler. */
    public Route answeredBy(Function<Request, Future<Response>> answer) {
        return new Route(
                method,
                base,
                path,
                right,
                parameters,
                needsLog,
                takesBody,
                maxBody,
                dialect,
                new Handler.Answering(answer));
    }

    /** Returns the same route, marked as one that needs the log. */
    public Route onLog() {
        return new Route(method, base, path, right, parameters, true, takesBody, maxBody, dialect, handler);
    }

    /** Returns the same route with another size of the largest body, in bytes. */
    public Route withBodiesUpTo(int bytes) {
        return new Route(method, base, path, right, parameters, needsLog, takesBody, bytes, dialect, handler);
    }

    /** Returns the same route, for bodies that are any text. */
    public Route withAnyText() {
        return in(new AnyText());
    }

    /** Tells whether a request to the route needs the log if it asks for an earlier state. */
    public boolean readsPast() {
        return !needsLog && parameters.containsKey(AT);
    }

    /** Returns the whole path, with parameters as {@code :name}. */
    public String template() {
        return base + path;
    }

    /** Returns the method and the path. No other route has the same name. */
    public String name() {
        return method + " " + template();
    }
}
