package dev.configservice.events;

import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import org.jspecify.annotations.Nullable;

/**
 * Which changes someone wants and may see. A service's name also matches what all services share, an environment also
 * what has none; flags have no service, and so match only where none is asked for.
 */
public record ChangeFilter(
        @Nullable String environment,
        @Nullable String serviceName,
        @Nullable String resourceType,
        @Nullable String keyPrefix,
        Scope environments,
        Scope serviceNames) {

    public static ChangeFilter of(
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable String resourceType,
            @Nullable String keyPrefix,
            Caller caller) {
        caller.require(Right.READ);
        return new ChangeFilter(
                environment, serviceName, resourceType, keyPrefix, caller.environments(), caller.serviceNames());
    }

    public boolean matches(Change change) {
        if (!change.isPublic()) {
            return false;
        }
        Resource r = change.resource();
        boolean isFlag = r.kind().equals("feature_flag");
        return (resourceType == null || resourceType.equals(r.kind()))
                && (environment == null || r.environment().isEmpty() || environment.equals(r.environment()))
                && (serviceName == null
                        || (!isFlag && (r.serviceName().isEmpty() || serviceName.equals(r.serviceName()))))
                && (keyPrefix == null
                        || (!r.kind().equals("service") && r.name().startsWith(keyPrefix)))
                && (r.environment().isEmpty() || environments.covers(r.environment()))
                && (r.serviceName().isEmpty() || serviceNames.covers(r.serviceName()));
    }
}
