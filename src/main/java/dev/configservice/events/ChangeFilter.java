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
 * The changes that a consumer wants and may see. A service's name also matches what all services share, an environment also
 * what has none; what belongs to no service matches only where none is asked for.
 */
public final class ChangeFilter {
    private final ResourceKinds kinds;
    private final Wanted wanted;
    private final Scope environments;
    private final Scope serviceNames;

    /** The filters of a request; null for those that are not given. */
    public record Wanted(
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable String resourceType,
            @Nullable String keyPrefix) {
        public static final Wanted ALL = new Wanted(null, null, null, null);
    }

    private ChangeFilter(ResourceKinds kinds, Wanted wanted, Scope environments, Scope serviceNames) {
        this.kinds = kinds;
        this.wanted = wanted;
        this.environments = environments;
        this.serviceNames = serviceNames;
    }

    /** The changes that a caller wants, of those that it may see. Fails where it may not read at all. */
    public static ChangeFilter of(ResourceKinds kinds, Wanted wanted, Caller caller) {
        caller.require(Right.READ);
        return new ChangeFilter(kinds, wanted, caller.environments(), caller.serviceNames());
    }

    public boolean matches(Change change) {
        Resource r = change.resource();
        ResourceKind kind = kinds.find(r.kind());
        return kind != null && kind.isPublic() && isWanted(kind, r) && isVisible(r);
    }

    private boolean isWanted(ResourceKind kind, Resource r) {
        return (wanted.resourceType() == null || wanted.resourceType().equals(r.kind()))
                && (wanted.environment() == null
                        || r.environment().isEmpty()
                        || wanted.environment().equals(r.environment()))
                && (wanted.serviceName() == null
                        || (kind.belongsToService()
                                && (r.serviceName().isEmpty()
                                        || wanted.serviceName().equals(r.serviceName()))))
                && (wanted.keyPrefix() == null || (kind.hasKeys() && r.name().startsWith(wanted.keyPrefix())));
    }

    private boolean isVisible(Resource r) {
        return (r.environment().isEmpty() || environments.covers(r.environment()))
                && (r.serviceName().isEmpty() || serviceNames.covers(r.serviceName()));
    }

    /** Filters that ask for the same for callers of the same scope are equal, so that streams share their work. */
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
