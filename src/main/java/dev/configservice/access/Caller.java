package dev.configservice.access;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The sender of a request and its rights, whether it came with a key, a token or nothing.
 *
 * @param id the same for every request of one caller; empty of an anonymous one
 * @param name as it stands in the audit
 * @param keyId the id of its key; null where it has none
 * @param openReads whether it may read without having been given the right, as anyone may
 * @param expiresAt when its key or token ends; null where it does not
 */
public record Caller(
        String id,
        String name,
        @Nullable String keyId,
        Set<Right> rights,
        boolean openReads,
        Scope environments,
        Scope serviceNames,
        @Nullable Instant expiresAt) {

    public boolean isAnonymous() {
        return id.isEmpty();
    }

    /** The same caller, who may read what anyone may. */
    public Caller withOpenReads() {
        return new Caller(id, name, keyId, rights, true, environments, serviceNames, expiresAt);
    }

    /** Tells whether the caller was granted a right itself, so that it may grant it to others. */
    public boolean holds(Right right) {
        return rights.contains(Right.ADMIN) || rights.contains(right);
    }

    /** Tells whether the caller has a right, for whatever environments and services. */
    public boolean has(Right right) {
        return holds(right) || (openReads && right == Right.READ);
    }

    /**
     * Tells whether the caller has a right for an environment and a service. An empty name means that the resource
     * has none.
     */
    public boolean may(Right right, String environment, String serviceName) {
        return has(right)
                && (environment.isEmpty() || environments.covers(environment))
                && (serviceName.isEmpty() || serviceNames.covers(serviceName));
    }

    /**
     * Tells whether the caller may write there. Only a caller that is not limited to some services may write what all
     * services share.
     */
    public boolean mayWrite(Right right, String environment, String serviceName) {
        return may(right, environment, serviceName) && (!serviceName.isEmpty() || serviceNames.isAll());
    }

    /** Fails with {@link ErrorCode#UNAUTHENTICATED} or {@link ErrorCode#FORBIDDEN} where it has not the right at all. */
    public void require(Right right) {
        if (!has(right)) {
            throw refusal(right, "");
        }
    }

    /** The same, for a read there. */
    public void require(Right right, String environment, String serviceName) {
        if (!may(right, environment, serviceName)) {
            throw refusal(right, has(right) ? where(environment, serviceName) : "");
        }
    }

    /** The same, for a write there. */
    public void requireWrite(Right right, String environment, String serviceName) {
        if (!mayWrite(right, environment, serviceName)) {
            throw refusal(right, has(right) ? where(environment, serviceName) : "");
        }
    }

    private static String where(String environment, String serviceName) {
        return " for environment '" + environment + "'"
                + (serviceName.isEmpty() ? ", shared by all services" : " and service '" + serviceName + "'");
    }

    private ServiceException refusal(Right right, String where) {
        if (isAnonymous()) {
            return new ServiceException(
                    ErrorCode.UNAUTHENTICATED,
                    "This needs a key or token with the right " + right.text()
                            + " (Authorization: ApiKey <key> or Bearer" + " <token>)");
        }
        return new ServiceException(
                ErrorCode.FORBIDDEN,
                "The right " + right.text() + where + " is missing",
                List.of(),
                Map.of("missing_right", right.text()));
    }
}
