package dev.configservice.events;

import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The filter for the changes that a consumer wants and may see. A filter by service also matches resources that all
 * services share, and a filter by environment also matches resources without an environment. Kinds that never belong to
 * a service match only if there is no filter by service.
 */
public final class ChangeFilter {
    private final ResourceKinds kinds;
    private final Wanted wanted;
    private final Scope environments;
    private final Scope serviceNames;

    /** The filters of a request; null means no filter. */
    public record Wanted(
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable String resourceType,
            @Nullable String resourceId,
            @Nullable String keyPrefix) {
        public static final Wanted ALL = new Wanted(null, null, null, null, null);
    }

    private ChangeFilter(ResourceKinds kinds, Wanted wanted, Scope environments, Scope serviceNames) {
        this.kinds = kinds;
        this.wanted = wanted;
        this.environments = environments;
        this.serviceNames = serviceNames;
    }

    /** Returns the filter for the changes that a caller wants and may see. Fails if the caller may not read at all. */
    public static ChangeFilter of(ResourceKinds kinds, Wanted wanted, Caller caller) {
        caller.require(Right.READ);
        return new ChangeFilter(kinds, wanted, caller.environments(), caller.serviceNames());
    }

    public boolean matches(Change change) {
        Resource r = change.resource();
        ResourceKind kind = kinds.find(r.kind());
        return kind != null && kind.isPublic() && isWanted(kind, r) && isVisible(kind, r);
    }

    private boolean isWanted(ResourceKind kind, Resource r) {
        return (wanted.resourceType() == null || wanted.resourceType().equals(r.kind()))
                && (wanted.resourceId() == null || wanted.resourceId().equals(r.id()))
                && (kind.isGlobal() ? isWantedGlobal(kind, r) : isWantedHere(kind, r));
    }

    /** Tells whether one that may be for all environments is wanted: only its own environment or service select it. */
    private boolean isWantedGlobal(ResourceKind kind, Resource r) {
        return (wanted.environment() == null || wanted.environment().equals(kind.environment(r)))
                && (wanted.serviceName() == null || wanted.serviceName().equals(kind.serviceName(r)))
                && wanted.keyPrefix() == null;
    }

    private boolean isWantedHere(ResourceKind kind, Resource r) {
        return (wanted.environment() == null
                        || r.environment().isEmpty()
                        || wanted.environment().equals(r.environment()))
                && (wanted.serviceName() == null
                        || (kind.belongsToService()
                                && (r.serviceName().isEmpty()
                                        || wanted.serviceName().equals(r.serviceName()))))
                && (wanted.keyPrefix() == null || (kind.hasKeys() && r.name().startsWith(wanted.keyPrefix())));
    }

    private boolean isVisible(ResourceKind kind, Resource r) {
        String environment = kind.environment(r);
        String service = kind.serviceName(r);
        return (environment.isEmpty() || environments.covers(environment))
                && (service.isEmpty() || serviceNames.covers(service));
    }

    /** Compares the requested filters and the scopes of callers: streams with equal filters are matched together. */
    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof ChangeFilter f
                && wanted.equals(f.wanted)
                && environments.equals(f.environments)
                && serviceNames.equals(f.serviceNames);
    }

    @Override
    public int hashCode() {
        return Objects.hash(wanted, environments, serviceNames);
    }
}
