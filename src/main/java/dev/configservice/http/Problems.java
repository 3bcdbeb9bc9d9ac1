package dev.configservice.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.util.Map;

/** The rendering of failures as RFC 9457 problem details. No other class maps an error to its HTTP status. */
public final class Problems {
    private static final String TYPE = "application/problem+json";
    private static final String RETRY_SECONDS = "1";

    private Problems() {}

    /** Returns the HTTP status of a failure. */
    public static int status(ErrorCode code) {
        return switch (code) {
            case INVALID, MALFORMED_BODY, SCHEMA_TOO_COSTLY -> 400;
            case UNAUTHENTICATED -> 401;
            case FORBIDDEN -> 403;
            case NOT_FOUND -> 404;
            case METHOD_NOT_ALLOWED -> 405;
            case REQUEST_TIMEOUT -> 408;
            case CONFLICT, LAYER_FULL -> 409;
            case GONE -> 410;
            case PRECONDITION_FAILED -> 412;
            case TOO_LARGE, TOO_MANY_CHANGES -> 413;
            case URI_TOO_LONG -> 414;
            case UNSUPPORTED_MEDIA_TYPE -> 415;
            case IDEMPOTENCY_KEY_REUSED -> 422;
            case HEADERS_TOO_LARGE -> 431;
            case INTERNAL -> 500;
            case UNAVAILABLE, BEHIND, OUTCOME_UNKNOWN, TOO_MANY, NO_KEYSET, NO_INSTANCE -> 503;
        };
    }

    static Response response(ServiceException e, String path, String requestId) {
        int status = status(e.code());
        ObjectNode body = Json.object();
        body.put("type", e.code().type());
        body.put("title", e.code().title());
        body.put("status", status);
        body.put("detail", e.getMessage());
        body.put("instance", path);
        body.put("request_id", requestId);
        if (!e.errors().isEmpty()) {
            ArrayNode errors = body.putArray("errors");
            for (FieldError error : e.errors()) {
                errors.addObject().put("field", error.field()).put("message", error.message());
            }
        }
        for (Map.Entry<String, Object> member : e.members().entrySet()) {
            body.set(member.getKey(), Json.tree(member.getValue()));
        }
        Response answer = Response.bytes(status, TYPE, Json.bytes(body));
        if (status == 401) {
            answer = answer.header("WWW-Authenticate", "ApiKey realm=\"config-service\"")
                    .header("WWW-Authenticate", "Bearer realm=\"config-service\"");
        }
        if (status == 503 && e.code() != ErrorCode.NO_KEYSET) {
            answer = answer.header("Retry-After", RETRY_SECONDS);
        }
        return answer;
    }
}
