package dev.configservice.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.change.Resource;
import dev.configservice.change.Unit;
import dev.configservice.json.Json;
import dev.configservice.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The configurations of one environment that belong to one service, or that all services share: what a lookup reads. The
 * answer for each is kept ready as bytes, with what is encrypted masked.
 */
final class ConfigurationLayer {
    private final List<Entry> sorted;
    private final Map<String, Entry> byKey;

    private ConfigurationLayer(List<Entry> sorted) {
        this.sorted = sorted;
        this.byKey = new HashMap<>(sorted.size() * 2);
        sorted.forEach(e -> byKey.put(e.resource.name(), e));
    }

    static Unit unit(String environment, String serviceName) {
        return new Unit(ConfigurationKind.KIND, environment, serviceName);
    }

    static ConfigurationLayer of(Snapshot snapshot) {
        return snapshot.view(ConfigurationLayer::make);
    }

    private static ConfigurationLayer make(Snapshot snapshot) {
        List<Entry> entries = new ArrayList<>(snapshot.resources().size());
        snapshot.resources().forEach(r -> entries.add(new Entry(r)));
        return new ConfigurationLayer(List.copyOf(entries));
    }

    @Nullable
    Entry get(String key) {
        return byKey.get(key);
    }

    List<Entry> sorted() {
        return sorted;
    }

    /** A configuration and its masked answer. */
    static final class Entry {
        private final Resource resource;
        private volatile byte @Nullable [] masked;

        Entry(Resource resource) {
            this.resource = resource;
        }

        Resource resource() {
            return resource;
        }

        /** As JSON; without created_by and updated_by, and with null for a value that is encrypted. */
        byte[] masked() {
            byte[] m = masked;
            if (m == null) {
                m = Json.bytes(render(resource));
                masked = m;
            }
            return m;
        }
    }

    /** A configuration as the API shows it to anyone: actors and an encrypted value are null. */
    static ObjectNode render(Resource resource) {
        ObjectNode row = Json.readObject(resource.row());
        ObjectNode o = Json.object();
        o.put("id", resource.id());
        o.put("key", resource.name());
        o.set("value", row.get(ConfigurationKind.VALUE));
        o.put("environment", resource.environment());
        o.put("service_name", resource.serviceName().isEmpty() ? null : resource.serviceName());
        o.set("is_encrypted", row.get(ConfigurationKind.ENCRYPTED));
        o.set("description", row.get(ConfigurationKind.DESCRIPTION));
        o.put("version", resource.version());
        o.put("revision", resource.revision());
        o.set("created_at", row.get("created_at"));
        o.set("updated_at", row.get("updated_at"));
        o.putNull("created_by");
        o.putNull("updated_by");
        return o;
    }
}
