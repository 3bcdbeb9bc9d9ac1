package dev.configservice.http;

import dev.configservice.access.Right;
import dev.configservice.json.StringRule;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A route, as a value: what the server needs to know of it before it calls the handler.
 *
 * @param base what the path begins with, e.g. {@code /api/v1}; empty at the root
 * @param path the rest, with parameters as {@code :name}
 * @param right the right without which the body is not even read; null for none
 * @param parameters the query parameters that it knows, each with its rule; others are refused. A name that ends with
 *     {@code *} stands for all names that begin so
 * @param needsLog whether it writes, or reads the log or the database: an edge forwards such requests to a core node
 * @param takesBody whether it reads a body
 * @param dialect how it talks: the content types that it accepts, the form of its errors
 */
public record Route(
        String method,
        String base,
        String path,
        @Nullable Right right,
        Map<String, StringRule> parameters,
        boolean needsLog,
        boolean takesBody,
        Dialect dialect,
        Handler handler) {
    /** The base of this service's own API. */
    public static final String API = "/api/v1";

    /** The query parameter that carries a credential where a browser can send no header. */
    public static final String ACCESS_TOKEN = "access_token";

    /** What answers a request. */
    public sealed interface Handler {
        /** One response, made whole. */
        record Answering(Function<Request, Future<Response>> answer) implements Handler {}

        /** A response that is written piece by piece; a failure before its first byte is answered as any other. */
        record Streaming(Function<Exchange, Future<Void>> open) implements Handler {}
    }

    /** A request, and its response, of which nothing is sent yet but what every response carries is set. */
    public record Exchange(Request request, HttpServerResponse response) {}

    private static Route of(String method, String base, String path, Handler handler) {
        boolean takesBody = method.equals("POST") || method.equals("PUT");
        return new Route(method, base, path, null, Map.of(), false, takesBody, ApiDialect.INSTANCE, handler);
    }

    /** A route of this service's API. */
    public static Route api(String method, String path, Function<Request, Future<Response>> answer) {
        return of(method, API, path, new Handler.Answering(answer));
    }

    /** A GET route of this service's API whose response is a stream. */
    public static Route stream(String path, Function<Exchange, Future<Void>> open) {
        return of("GET", API, path, new Handler.Streaming(open));
    }

    /** A GET route at the root, open to all. */
    public static Route root(String path, Function<Request, Future<Response>> answer) {
        return of("GET", "", path, new Handler.Answering(answer));
    }

    /** The same route, for callers with a right. */
    public Route needs(Right needed) {
        return new Route(method, base, path, needed, parameters, needsLog, takesBody, dialect, handler);
    }

    /** The same route, with query parameters. */
    public Route with(Map<String, StringRule> known) {
        return new Route(method, base, path, right, Map.copyOf(known), needsLog, takesBody, dialect, handler);
    }

    /** The same route, which needs the log. */
    public Route onLog() {
        return new Route(method, base, path, right, parameters, true, takesBody, dialect, handler);
    }

    /** The whole path, with parameters as {@code :name}. */
    public String template() {
        return base + path;
    }

    /** Method and path: what tells it from every other route. */
    public String name() {
        return method + " " + template();
    }
}
