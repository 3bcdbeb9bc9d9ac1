package dev.configservice.http;

import dev.configservice.error.ServiceException;
import org.jspecify.annotations.Nullable;

/** How a group of routes talks: which bodies it accepts, and what its errors look like. */
public interface Dialect {
    /** Tells whether a body that is declared as this media type is read; null where nothing is declared. */
    boolean accepts(@Nullable String contentType);

    /** What {@link #accepts} expects, for the error. */
    String accepted();

    /** An error as a response. */
    Response error(ServiceException failure, String path, String requestId);
}
