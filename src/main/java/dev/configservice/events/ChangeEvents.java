package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;

/** Makes the events of changes, as the kinds of resources describe them. */
public final class ChangeEvents {
    private final ResourceKinds kinds;

    public ChangeEvents(ResourceKinds kinds) {
        this.kinds = kinds;
    }

    public ResourceKinds kinds() {
        return kinds;
    }

    /** The event of a change that is public. */
    public ChangeEvent of(Change change) {
        Resource resource = change.resource();
        return new ChangeEvent(change, kinds.get(resource.kind()).data(resource));
    }

    /** A resource as the audit shows it, without secrets; empty for a kind that this version does not know. */
    public ObjectNode audited(Resource resource) {
        ResourceKind kind = kinds.find(resource.kind());
        return kind == null ? Json.object() : kind.audited(resource);
    }
}
