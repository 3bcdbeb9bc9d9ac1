package dev.configservice.events;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;

/** A factory for the events of changes. The kind of a resource determines the data in its events. */
public final class ChangeEvents {
    private final ResourceKinds kinds;

    public ChangeEvents(ResourceKinds kinds) {
        this.kinds = kinds;
    }

    public ResourceKinds kinds() {
        return kinds;
    }

    /** Returns the event of a public change. */
    public ChangeEvent of(Change change) {
        return new ChangeEvent(change, kinds.get(change.resource().kind()));
    }

    /**
     * Returns a resource as the audit trail shows it, without secrets. The object is empty for a kind that this version
     * does not know.
     */
    public ObjectNode audited(Resource resource) {
        ResourceKind kind = kinds.find(resource.kind());
        return kind == null ? Json.object() : kind.audited(resource);
    }
}
