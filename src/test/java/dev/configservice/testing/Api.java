package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A client of one node. It checks every response against the OpenAPI description, so that the two cannot drift apart.
 */
public final class Api {
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    private final String base;
    private final List<String> headers;
    private final boolean described;

    private Api(String base, List<String> headers, boolean described) {
        this.base = base;
        this.headers = headers;
        this.described = described;
    }

    public static Api anonymous(int port) {
        return anonymous("127.0.0.1", port);
    }

    public static Api anonymous(String host, int port) {
        return new Api("http://" + host + ":" + port, List.of(), true);
    }

    /** Returns a client of the same node that sends one more header. */
    public Api with(String name, String value) {
        List<String> more = new ArrayList<>(headers);
        more.add(name);
        more.add(value);
        return new Api(base, List.copyOf(more), described);
    }

    /** Returns a client of the same node for routes that the packaged OpenAPI description does not contain. */
    public Api undescribed() {
        return new Api(base, headers, false);
    }

    public Api key(String key) {
        return with("Authorization", "ApiKey " + key);
    }

    public String base() {
        return base;
    }

    public Reply get(String path) {
        return send("GET", path, null);
    }

    public Reply post(String path, String body) {
        return send("POST", path, body);
    }

    public Reply put(String path, String body) {
        return send("PUT", path, body);
    }

    public Reply delete(String path) {
        return send("DELETE", path, null);
    }

    public Reply send(String method, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(
                        base + (path.startsWith("/api") || isOfFacade(path) || isRoot(path) ? path : "/api/v1" + path)))
                .timeout(Duration.ofSeconds(20))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!headers.isEmpty()) {
            request.headers(headers.toArray(String[]::new));
        }
        try {
            HttpRequest built = request.build();
            Reply reply = Reply.of(CLIENT.send(built, BodyHandlers.ofString()));
            if (described) {
                OpenApiCheck.check(method, built.uri().getPath(), reply);
            }
            return reply;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static boolean isOfFacade(String path) {
        return path.matches("/(env|ofrep|spring|eureka|v1)/.*");
    }

    private static boolean isRoot(String path) {
        return path.matches("/(live|ready|health|metrics|openapi.json|docs)(/.*)?");
    }
}
