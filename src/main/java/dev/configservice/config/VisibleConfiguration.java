package dev.configservice.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import org.jspecify.annotations.Nullable;

/**
 * A configuration, and its JSON for callers without further rights, in which an encrypted value is masked. With a
 * million configurations, a lookup mostly waits for memory. Therefore this class holds the fields that a lookup
 * needs, and the JSON is only one reference away.
 */
public final class VisibleConfiguration {
    private final Resource resource;
    private final boolean sealed;
    private final boolean shared;
    private final long revision;
    private volatile byte @Nullable [] json;
    private volatile byte @Nullable [] withActors;

    VisibleConfiguration(Resource resource) {
        this.resource = resource;
        this.sealed = resource.isSealed();
        this.shared = resource.serviceName().isEmpty();
        this.revision = resource.revision();
    }

    public Resource resource() {
        return resource;
    }

    public String key() {
        return resource.name();
    }

    public boolean isSealed() {
        return sealed;
    }

    /** Tells whether it is shared by all services, and belongs to none. */
    public boolean isShared() {
        return shared;
    }

    public long revision() {
        return revision;
    }

    /** Returns the value; JSON null if it is encrypted. */
    public JsonNode value() {
        JsonNode value = resource.row().get(ConfigurationKind.VALUE);
        return value == null ? NullNode.getInstance() : value;
    }

    /** Returns the JSON, in which actors and an encrypted value are null. It must not be modified. */
    public byte[] json() {
        byte[] bytes = json;
        if (bytes == null) {
            bytes = Json.bytes(ConfigurationKind.masked(resource));
            json = bytes;
        }
        return bytes;
    }

    /** Returns the JSON with actors, in which an encrypted value is null. It must not be modified. */
    byte[] jsonWithActors() {
        byte[] bytes = withActors;
        if (bytes == null) {
            bytes = Json.bytes(ConfigurationKind.withActors(resource));
            withActors = bytes;
        }
        return bytes;
    }
}
