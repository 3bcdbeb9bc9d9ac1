package dev.configservice.http;

import dev.configservice.error.ServiceException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The dialect of this service's own API: JSON bodies, and errors as RFC 9457 problem details. */
final class ApiDialect implements Dialect {
    static final ApiDialect INSTANCE = new ApiDialect();

    private ApiDialect() {}

    @Override
    public String name() {
        return "own";
    }

    /** Accepts JSON. Also accepts the media type of forms, because {@code curl -d} declares JSON as a form. */
    @Override
    public boolean accepts(@Nullable String contentType) {
        if (contentType == null) {
            return true;
        }
        int end = contentType.indexOf(';');
        String media =
                (end < 0 ? contentType : contentType.substring(0, end)).strip().toLowerCase(Locale.ROOT);
        return media.isEmpty()
                || media.equals("application/json")
                || media.equals("application/x-www-form-urlencoded")
                || media.endsWith("+json");
    }

    @Override
    public String accepted() {
        return "JSON (Content-Type: application/json)";
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        return Problems.response(failure, path, requestId);
    }
}
