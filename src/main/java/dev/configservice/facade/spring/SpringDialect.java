package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Dialect;
import dev.configservice.http.Problems;
import dev.configservice.http.Response;
import dev.configservice.json.Json;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The dialect of Spring Cloud Config: errors have the form of Spring Boot. */
final class SpringDialect implements Dialect {
    static final SpringDialect INSTANCE = new SpringDialect();

    private static final String TOKEN = "x-config-token";

    private SpringDialect() {}

    @Override
    public String name() {
        return "spring";
    }

    /** Returns the roots without an environment, and with one. */
    @Override
    public List<String> roots() {
        return List.of("/spring", "/env/:environment/spring");
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
        return TOKEN;
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        boolean isMissing =
                failure.code() == ErrorCode.METHOD_NOT_ALLOWED && path.matches(".*/spring/(encrypt|decrypt)(/.*)?");
        int status = isMissing ? 404 : Problems.status(failure.code());
        ObjectNode body = Json.object();
        body.put("timestamp", Json.time(Instant.now()));
        body.put("status", status);
        body.put("error", HttpResponseStatus.valueOf(status).reasonPhrase());
        body.put("message", isMissing ? "This path does not exist" : failure.getMessage());
        body.put("path", path);
        Response response = Response.json(status, body);
        if (status == 401) {
            return response.header("WWW-Authenticate", "Basic realm=\"config-service\"");
        }
        return status == 503 ? response.header("Retry-After", "1") : response;
    }
}
