package dev.configservice.access;

import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/** Tells who calls. */
public interface Authenticator {
    /** The caller that shows no credential. */
    Caller anonymous();

    /**
     * Authenticates a request. Fails with {@code UNAUTHENTICATED} where it shows a credential that is not valid, and with
     * {@code UNAVAILABLE} where that cannot be known now.
     *
     * @param authorization the header; null where there is none
     */
    Future<Caller> authenticate(@Nullable String authorization);

    /** Tells whether a caller's credential is still accepted. */
    Future<Boolean> holds(Caller caller);
}
