package dev.configservice.log;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The kinds of resources of this service. */
public final class ResourceKinds {
    private final Map<String, ResourceKind> byName = new LinkedHashMap<>();

    public ResourceKinds(Collection<? extends ResourceKind> kinds) {
        for (ResourceKind kind : kinds) {
            if (byName.put(kind.name(), kind) != null) {
                throw new IllegalArgumentException("duplicate kind: " + kind.name());
            }
        }
    }

    /** Returns the kind with a name. The name must be known. */
    public ResourceKind get(String name) {
        return Objects.requireNonNull(byName.get(name), name);
    }

    /** Returns the kind with a name; null if this version of the service does not know it. */
    public @Nullable ResourceKind find(String name) {
        return byName.get(name);
    }

    /** Tells whether consumers see a change. They never see changes of an unknown kind. */
    public boolean isPublic(Change change) {
        ResourceKind kind = byName.get(change.resource().kind());
        return kind != null && kind.isPublic();
    }

    /** Returns the names of all kinds. */
    public List<String> names() {
        return names(k -> true);
    }

    /** Returns the names of the kinds that meet a condition. */
    public List<String> names(Predicate<ResourceKind> condition) {
        return byName.values().stream()
                .filter(condition)
                .map(ResourceKind::name)
                .toList();
    }
}
