package dev.configservice.access;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The sender of a request and its rights. Its credential is an API key or a token, or it has none.
 *
 * @param actor its identity; null if it is anonymous
 * @param keyHash the hash of the secret of its API key; null if it has none
 * @param openReads whether it may read without having the right, because anonymous callers may read as well
 * @param expiresAt the time at which its key or token expires; null if it does not expire
 */
public record Caller(
        @Nullable Actor actor,
        @Nullable String keyHash,
        Set<Right> rights,
        boolean openReads,
        Scope environments,
        Scope serviceNames,
        @Nullable Instant expiresAt) {

    public boolean isAnonymous() {
        return actor == null;
    }

    /** Returns the identity. Fails with {@link ErrorCode#UNAUTHENTICATED} if the caller is anonymous. */
    public Actor identity() {
        if (actor == null) {
            throw new ServiceException(ErrorCode.UNAUTHENTICATED, "This request needs an API key or token");
        }
        return actor;
    }

    /** Returns the same caller without the right to see encrypted values. */
    public Caller withoutSecrets() {
        EnumSet<Right> others = rights.contains(Right.ADMIN) ? EnumSet.allOf(Right.class) : EnumSet.noneOf(Right.class);
        others.addAll(rights);
        others.remove(Right.ADMIN);
        others.remove(Right.SECRETS_READ);
        return new Caller(actor, keyHash, others, openReads, environments, serviceNames, expiresAt);
    }

    /** Returns the same caller with {@code openReads} set. */
    public Caller withOpenReads() {
        return new Caller(actor, keyHash, rights, true, environments, serviceNames, expiresAt);
    }

    /** Returns the same caller, whose credential expires at a time at the latest. */
    public Caller until(Instant latest) {
        Instant earliest = expiresAt == null || latest.isBefore(expiresAt) ? latest : expiresAt;
        return new Caller(actor, keyHash, rights, openReads, environments, serviceNames, earliest);
    }

    /** Tells whether the caller was granted a right itself, so that it may grant it to others. */
    public boolean holds(Right right) {
        return rights.contains(Right.ADMIN) || rights.contains(right);
    }

    /** Tells whether the caller has a right for at least some environments and services. */
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
     * Tells whether the caller may write in an environment and for a service. Only a caller that is not limited to some
     * services may write resources that all services share.
     */
    public boolean mayWrite(Right right, String environment, String serviceName) {
        return may(right, environment, serviceName) && (!serviceName.isEmpty() || serviceNames.isAll());
    }

    /**
     * Fails if the caller does not have a right at all: with {@link ErrorCode#UNAUTHENTICATED} if it is anonymous, else
     * with {@link ErrorCode#FORBIDDEN}.
     */
    public void require(Right right) {
        if (!has(right)) {
            throw refusal(right, "");
        }
    }

    /** Fails in the same way if the caller does not have a right for an environment and a service. */
    public void require(Right right, String environment, String serviceName) {
        if (!may(right, environment, serviceName)) {
            throw refusal(right, has(right) ? where(environment, serviceName) : "");
        }
    }

    /** Fails in the same way if the caller may not write in an environment and for a service. */
    public void requireWrite(Right right, String environment, String serviceName) {
        if (!mayWrite(right, environment, serviceName)) {
            throw refusal(right, has(right) ? where(environment, serviceName) : "");
        }
    }

    private static String where(String environment, String serviceName) {
        return " for environment '" + environment + "'"
                + (serviceName.isEmpty() ? " and resources without a service" : " and service '" + serviceName + "'");
    }

    private ServiceException refusal(Right right, String where) {
        if (isAnonymous()) {
            return new ServiceException(
                    ErrorCode.UNAUTHENTICATED,
                    "This request needs an API key or token with the right " + right.text()
                            + " (Authorization: ApiKey <key> or Bearer" + " <token>)");
        }
        return new ServiceException(
                ErrorCode.FORBIDDEN,
                "You do not have the right " + right.text() + where,
                List.of(),
                Map.of("missing_right", right.text()));
    }
}
