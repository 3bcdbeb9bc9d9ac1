package dev.configservice.access;

import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

/** The authentication of callers. */
public interface Authenticator {
    /** Returns the caller of requests without a credential. */
    Caller anonymous();

    /**
     * Authenticates the caller of a request. Fails with {@code UNAUTHENTICATED} if the credential is not valid, and
     * with {@code UNAVAILABLE} if its validity cannot be determined now.
     *
     * @param authorization the {@code Authorization} header; null if there is none
     */
    Future<Caller> authenticate(@Nullable String authorization);

    /** Tells whether a caller's credential is still accepted. */
    Future<Boolean> holds(Caller caller);
}
