package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Makes the events of changes: what a kind's resource looks like to the world, its feature says. */
public final class ChangeEvents {
    private final Map<String, ResourceKind> kinds = new HashMap<>();

    public ChangeEvents(List<ResourceKind> kinds) {
        kinds.forEach(k -> this.kinds.put(k.kind(), k));
    }

    /** The event of a change that is public. */
    public ChangeEvent of(Change change) {
        ResourceKind kind = Objects.requireNonNull(
                kinds.get(change.resource().kind()), change.resource().kind());
        return new ChangeEvent(change, kind.data(change.resource()));
    }

    /** What a resource looks like in the audit, without secrets; empty of what is no resource. */
    public ObjectNode audited(Resource resource) {
        ResourceKind kind = kinds.get(resource.kind());
        return kind == null ? Json.object() : kind.audited(resource);
    }
}
