package dev.configservice.http;

import dev.configservice.access.Right;
import dev.configservice.json.StringRule;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The routes of a feature. */
public interface Routes {
    void mount(Table table);

    /** Where routes are entered. What is entered first wins where two paths fit a request. */
    interface Table {
        /**
         * A route below {@code /api/v1}.
         *
         * @param path with parameters as {@code :name}
         * @param need the right without which the request is not even read; null for none
         * @param query the query parameters that it knows, each with its rule; others are refused. One whose name ends
         *     with {@code *} stands for all that begin so
         */
        void route(
                String method,
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Request, Future<Response>> handler);

        /** The same for a route that needs the log, or writes: an edge hands its requests to a core node. */
        void coreRoute(
                String method,
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Request, Future<Response>> handler);

        /** A GET route that writes its response itself, piece by piece; a failure before its first byte is answered. */
        void stream(
                String path,
                @Nullable Right need,
                Map<String, StringRule> query,
                Function<Exchange, Future<Void>> handler);

        /** A GET route at the root, open to all. */
        void root(String path, Function<Request, Future<Response>> handler);
    }

    /** A request, and its response, of which nothing is sent yet but what every answer carries is set. */
    record Exchange(Request request, HttpServerResponse response) {}
}
