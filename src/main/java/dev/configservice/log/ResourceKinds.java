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

    /** The kind of a name, which must be one of this service. */
    public ResourceKind get(String name) {
        return Objects.requireNonNull(byName.get(name), name);
    }

    /** The kind of a name; null for one that this version does not know. */
    public @Nullable ResourceKind find(String name) {
        return byName.get(name);
    }

    /** Tells whether a change is sent out; one of an unknown kind never is. */
    public boolean isPublic(Change change) {
        ResourceKind kind = byName.get(change.resource().kind());
        return kind != null && kind.isPublic();
    }

    /** The names of all kinds. */
    public List<String> names() {
        return names(k -> true);
    }

    /** The names of the kinds that fulfil a condition. */
    public List<String> names(Predicate<ResourceKind> condition) {
        return byName.values().stream()
                .filter(condition)
                .map(ResourceKind::name)
                .toList();
    }
}
