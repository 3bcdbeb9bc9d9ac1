package dev.configservice.facade.eureka;

import dev.configservice.error.ServiceException;
import dev.configservice.http.Dialect;
import dev.configservice.http.Problems;
import dev.configservice.http.Response;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The dialect of Eureka: errors have no body, but for bad requests, which say what is wrong. */
final class EurekaDialect implements Dialect {
    static final EurekaDialect INSTANCE = new EurekaDialect();

    private EurekaDialect() {}

    @Override
    public String name() {
        return "eureka";
    }

    /** Returns the root that Spring's clients ask, and that of Netflix' own. */
    @Override
    public List<String> roots() {
        return List.of("/eureka", "/eureka/v2");
    }

    @Override
    public boolean accepts(@Nullable String contentType) {
        return true;
    }

    @Override
    public String accepted() {
        return "JSON or XML";
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        int status = Problems.status(failure.code());
        if (status == 400 || status == 409 || status == 413) {
            return Response.bytes(
                    status, "text/plain;charset=utf-8", (failure.getMessage() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        Response empty = Response.empty(status);
        if (status == 401) {
            return empty.header("WWW-Authenticate", "Basic realm=\"config-service\"");
        }
        return status == 503 ? empty.header("Retry-After", "1") : empty;
    }
}
