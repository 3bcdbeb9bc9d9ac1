package dev.configservice.facade.ofrep;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Carriers;
import dev.configservice.http.Dialect;
import dev.configservice.http.Problems;
import dev.configservice.http.Response;
import dev.configservice.json.Json;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The dialect of OFREP: any body is read as JSON, and every error is a JSON object with an error code of OpenFeature. */
final class OfrepDialect implements Dialect {
    static final OfrepDialect INSTANCE = new OfrepDialect();

    private static final String ONE = "/evaluate/flags/";
    private static final String ERROR_CODE = "errorCode";

    private OfrepDialect() {}

    /** Creates a failure with an error code of OpenFeature. */
    static ServiceException failure(ErrorCode code, String errorCode, String details) {
        return new ServiceException(code, details, List.of(), Map.of(ERROR_CODE, errorCode));
    }

    @Override
    public String name() {
        return "ofrep";
    }

    /** Returns the roots without an environment, and with one. */
    @Override
    public List<String> roots() {
        return List.of("/ofrep/v1", "/env/:environment/ofrep/v1");
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
        return Carriers.API_KEY;
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        if (path.endsWith("/v1" + OfrepEvents.PATH)
                && (failure.code() == ErrorCode.TOO_MANY || failure.code() == ErrorCode.UNAVAILABLE)) {
            return OfrepEvents.later();
        }
        int status = Problems.status(failure.code());
        ObjectNode body = Json.object();
        int at = path.lastIndexOf(ONE);
        if (at >= 0 && at + ONE.length() < path.length()) {
            body.put("key", decoded(path.substring(at + ONE.length())));
        }
        Object given = failure.members().get(ERROR_CODE);
        body.put(ERROR_CODE, given != null ? given.toString() : code(failure.code()));
        body.put("errorDetails", failure.getMessage());
        Response response = Response.json(status, body);
        return status == 503 ? response.header("Retry-After", "1") : response;
    }

    private static String code(ErrorCode code) {
        return code == ErrorCode.MALFORMED_BODY ? "PARSE_ERROR" : "GENERAL";
    }

    private static String decoded(String segment) {
        try {
            return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return segment;
        }
    }
}
