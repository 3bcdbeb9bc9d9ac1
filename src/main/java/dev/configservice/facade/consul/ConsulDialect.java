package dev.configservice.facade.consul;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Dialect;
import dev.configservice.http.Problems;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.json.StringRule;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The dialect of Consul: errors are plain text. What is refused for want of a key or a right is 403, what is away 500. */
final class ConsulDialect implements Dialect {
    static final ConsulDialect INSTANCE = new ConsulDialect();
    static final String ROOT = "/v1";

    private ConsulDialect() {}

    /** Returns a route below the root of Consul. A client may send any parameter; those that are not known are ignored. */
    static Route route(String method, String path, Function<Request, Future<Response>> answer) {
        return new Route.Facade(method, ROOT + path, Map.of("*", StringRule.ANY), INSTANCE).answeredBy(answer);
    }

    @Override
    public String name() {
        return "consul";
    }

    @Override
    public List<String> roots() {
        return List.of(ROOT);
    }

    @Override
    public boolean accepts(@Nullable String contentType) {
        return true;
    }

    @Override
    public String accepted() {
        return "JSON";
    }

    @Override
    public String carrier() {
        return "x-consul-token";
    }

    @Override
    public String queryCarrier() {
        return "token";
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        int status = Problems.status(failure.code());
        if (status == 401 || status == 403) {
            return text(403, "Permission denied");
        }
        // a client retries a 500, and keeps what it has
        boolean isAway = status == 503 && failure.code() != ErrorCode.TOO_MANY;
        return text(isAway ? 500 : status == 503 ? 429 : status, String.valueOf(failure.getMessage()));
    }

    static Response text(int status, String text) {
        return Response.bytes(status, "text/plain;charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }
}
