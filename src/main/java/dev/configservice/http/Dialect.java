package dev.configservice.http;

import dev.configservice.error.ServiceException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The conventions of a group of routes: the bodies that it accepts, and the form of its errors. */
public interface Dialect {
    /** Returns the name by which requests are counted, e.g. {@code ofrep}. */
    String name();

    /**
     * Returns the beginnings of all paths in this dialect, with parameters as {@code :name}. What is below them is refused
     * in this dialect, too. Empty for the dialect of all other paths.
     */
    default List<String> roots() {
        return List.of();
    }

    /**
     * Tells whether a body is accepted.
     *
     * @param contentType the media type that the request declares; null if it declares none
     */
    boolean accepts(@Nullable String contentType);

    /** Describes the bodies that {@link #accepts} allows, for an error message. */
    String accepted();

    /**
     * Returns the header that carries a credential in this dialect besides {@code Authorization}. It wins over others. Null
     * if there is none, so that credentials that differ are refused.
     */
    default @Nullable String carrier() {
        return null;
    }

    /** Returns the query parameter that carries a credential if no header does; null if there is none. */
    default @Nullable String queryCarrier() {
        return null;
    }

    /** Renders a failure as a response. */
    Response error(ServiceException failure, String path, String requestId);
}
