package dev.configservice.config;

import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import org.jspecify.annotations.Nullable;

/**
 * A configuration, and its JSON for anyone who may read it, with what is encrypted masked. With a million configurations a
 * lookup mostly waits for memory: what it needs is held here, and the bytes are one step away.
 */
public final class VisibleConfiguration {
    private final Resource resource;
    private final boolean sealed;
    private final boolean shared;
    private final long revision;
    private volatile byte @Nullable [] json;

    VisibleConfiguration(Resource resource) {
        this.resource = resource;
        this.sealed = resource.isSealed();
        this.shared = resource.serviceName().isEmpty();
        this.revision = resource.revision();
    }

    public Resource resource() {
        return resource;
    }

    public boolean isSealed() {
        return sealed;
    }

    /** Tells whether it belongs to no service. */
    public boolean isShared() {
        return shared;
    }

    public long revision() {
        return revision;
    }

    /** The JSON, in which actors and an encrypted value are null; not to be changed. */
    public byte[] json() {
        byte[] bytes = json;
        if (bytes == null) {
            bytes = Json.bytes(ConfigurationKind.masked(resource));
            json = bytes;
        }
        return bytes;
    }
}
