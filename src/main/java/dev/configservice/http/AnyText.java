package dev.configservice.http;

import dev.configservice.error.ServiceException;
import org.jspecify.annotations.Nullable;

/** The dialect of this service's own routes that take any text, which they parse by themselves. */
final class AnyText implements Dialect {
    @Override
    public String name() {
        return ApiDialect.INSTANCE.name();
    }

    @Override
    public boolean accepts(@Nullable String contentType) {
        return contentType == null
                || ApiDialect.INSTANCE.accepts(contentType)
                || contentType.matches("(?i)(text/plain|(application|text)/(x-)?yaml)\\s*(;.*)?");
    }

    @Override
    public String accepted() {
        return "JSON, application/yaml or text/plain";
    }

    @Override
    public Response error(ServiceException failure, String path, String requestId) {
        return ApiDialect.INSTANCE.error(failure, path, requestId);
    }
}
