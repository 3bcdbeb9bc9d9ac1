package dev.configservice.config;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.Snapshot;
import io.vertx.core.buffer.Buffer;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The configurations of one environment that belong to one service, or that all services share. Immutable. */
final class ConfigurationLayer {
    /**
     * The only empty layer. Merges are cached by the identity of the layers, so a cached merge stays valid when one
     * empty layer replaces another.
     */
    private static final ConfigurationLayer EMPTY = new ConfigurationLayer(List.of());

    /** Each layer as it was before its last change: what has not changed since is not rendered again. */
    private static final Cache<UnitId, ConfigurationLayer> LAST =
            Caffeine.newBuilder().maximumSize(10_000).weakValues().build();

    private static final int ASK_EVERY = 64;

    private final Map<String, VisibleConfiguration> byKey;
    /**
     * The last merge. It is kept as long as there is room for it. The weak reference saves most reads a lookup.
     */
    private volatile WeakReference<@Nullable Merged> merged = new WeakReference<>(null);

    // not synchronized: a lost increment only delays the next lookup
    private int reads;

    private ConfigurationLayer(List<VisibleConfiguration> sorted) {
        this.byKey = new HashMap<>(sorted.size() * 2);
        sorted.forEach(c -> byKey.put(c.resource().name(), c));
    }

    static UnitId unit(String environment, String serviceName) {
        return new UnitId(ConfigurationKind.NAME, environment, serviceName);
    }

    static ConfigurationLayer of(Snapshot snapshot) {
        return snapshot.view(ConfigurationLayer::make);
    }

    private static ConfigurationLayer make(Snapshot snapshot) {
        if (snapshot.resources().isEmpty()) {
            return EMPTY;
        }
        ConfigurationLayer before = LAST.getIfPresent(snapshot.unit());
        List<VisibleConfiguration> configurations =
                new ArrayList<>(snapshot.resources().size());
        for (Resource r : snapshot.resources()) {
            VisibleConfiguration known = before == null ? null : before.get(r.name());
            configurations.add(known != null && isSame(known.resource(), r) ? known : new VisibleConfiguration(r));
        }
        ConfigurationLayer layer = new ConfigurationLayer(configurations);
        LAST.put(snapshot.unit(), layer);
        return layer;
    }

    @SuppressWarnings("ReferenceEquality") // an equal resource would be rendered again, which is only slower
    private static boolean isSame(Resource a, Resource b) {
        return a == b;
    }

    boolean isEmpty() {
        return byKey.isEmpty();
    }

    @Nullable
    VisibleConfiguration get(String key) {
        return byKey.get(key);
    }

    /** Creates the room for merged layers. Layers are compared by identity. */
    static Cache<ConfigurationLayer, Merged> room(long bytes) {
        return Caffeine.newBuilder()
                .weakKeys()
                .maximumWeight(bytes)
                .weigher((ConfigurationLayer layer, Merged merge) -> merge.bytes())
                .build();
    }

    /** Merges this layer of a service with the shared layer. The result is kept for a while, if there is room. */
    Merged over(ConfigurationLayer shared, Cache<ConfigurationLayer, Merged> room) {
        Merged m = merged.get();
        if (m == null || m.shared != shared) {
            TreeMap<String, VisibleConfiguration> configurations = new TreeMap<>(shared.byKey);
            configurations.putAll(byKey);
            m = Merged.of(shared, List.copyOf(configurations.values()));
            merged = new WeakReference<>(m);
            room.put(this, m);
        } else if (++reads % ASK_EVERY == 0 && room.getIfPresent(this) == null) {
            room.put(this, m);
        }
        return m;
    }

    /**
     * All configurations that a service sees.
     *
     * @param configurations sorted by key
     * @param json all of them as a JSON array, without actors and encrypted values; must not be modified
     */
    record Merged(
            ConfigurationLayer shared, List<VisibleConfiguration> configurations, boolean anySealed, Buffer json) {
        private int bytes() {
            return json.length() + 8 * configurations.size();
        }

        private static Merged of(ConfigurationLayer shared, List<VisibleConfiguration> configurations) {
            Buffer json = Buffer.buffer("[");
            for (VisibleConfiguration configuration : configurations) {
                json.appendString(json.length() > 1 ? "," : "").appendBytes(configuration.json());
            }
            boolean anySealed = configurations.stream().anyMatch(VisibleConfiguration::isSealed);
            return new Merged(shared, configurations, anySealed, json.appendString("]"));
        }
    }
}
