package dev.configservice.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.http.Response;
import dev.configservice.json.Json;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.Snapshot;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The configurations of one environment that belong to one service, or that all services share: what a lookup reads. The
 * answer for each is kept ready as bytes, with what is encrypted masked.
 */
final class ConfigurationLayer {
    /** One for all that are empty: so what lies over one that was never written is kept, too. */
    private static final ConfigurationLayer EMPTY = new ConfigurationLayer(List.of());

    private final Map<String, Entry> byKey;
    private volatile @Nullable Merged merged;

    private ConfigurationLayer(List<Entry> sorted) {
        this.byKey = new HashMap<>(sorted.size() * 2);
        sorted.forEach(e -> byKey.put(e.resource.name(), e));
    }

    static UnitId unit(String environment, String serviceName) {
        return new UnitId(ConfigurationKind.KIND, environment, serviceName);
    }

    static ConfigurationLayer of(Snapshot snapshot) {
        return snapshot.view(ConfigurationLayer::make);
    }

    private static ConfigurationLayer make(Snapshot snapshot) {
        if (snapshot.resources().isEmpty()) {
            return EMPTY;
        }
        List<Entry> entries = new ArrayList<>(snapshot.resources().size());
        snapshot.resources().forEach(r -> entries.add(new Entry(r)));
        return new ConfigurationLayer(List.copyOf(entries));
    }

    boolean isEmpty() {
        return byKey.isEmpty();
    }

    @Nullable
    Entry get(String key) {
        return byKey.get(key);
    }

    /**
     * A configuration and its masked answer. With a million of them the way to the bytes is what a lookup waits for: what it
     * needs stands here, and the bytes are one step away.
     */
    static final class Entry {
        private final Resource resource;
        private final boolean sealed;
        private final boolean shared;
        private final long revision;
        private volatile byte @Nullable [] json;

        Entry(Resource resource) {
            this.resource = resource;
            this.sealed = resource.isSealed();
            this.shared = resource.serviceName().isEmpty();
            this.revision = resource.revision();
        }

        Resource resource() {
            return resource;
        }

        boolean isSealed() {
            return sealed;
        }

        /** Whether it belongs to no service. */
        boolean isShared() {
            return shared;
        }

        /** The answer for anyone; actors and a value that is encrypted are null. */
        Response ready() {
            return Response.ready(Response.JSON, Buffer.buffer(json())).tagged(Long.toString(revision));
        }

        private byte[] json() {
            byte[] bytes = json;
            if (bytes == null) {
                bytes = Json.bytes(render(resource));
                json = bytes;
            }
            return bytes;
        }
    }

    /** What a service sees whose own layer this is, over the shared one; kept until either changes. */
    Merged over(ConfigurationLayer common) {
        Merged m = merged;
        if (m == null || m.common != common) {
            TreeMap<String, Entry> entries = new TreeMap<>(common.byKey);
            entries.putAll(byKey);
            m = Merged.of(common, List.copyOf(entries.values()));
            merged = m;
        }
        return m;
    }

    /**
     * All that a service sees.
     *
     * @param entries sorted by key
     * @param json all of it as JSON for anyone; not to be changed
     */
    record Merged(ConfigurationLayer common, List<Entry> entries, boolean anySealed, Buffer json) {
        private static Merged of(ConfigurationLayer common, List<Entry> entries) {
            Buffer json = Buffer.buffer("[");
            for (Entry entry : entries) {
                json.appendString(json.length() > 1 ? "," : "").appendBytes(entry.json());
            }
            boolean anySealed = entries.stream().anyMatch(Entry::isSealed);
            return new Merged(common, entries, anySealed, json.appendString("]"));
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
