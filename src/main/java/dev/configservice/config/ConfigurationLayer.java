package dev.configservice.config;

import dev.configservice.log.UnitId;
import dev.configservice.snapshot.Snapshot;
import io.vertx.core.buffer.Buffer;
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

    private final Map<String, VisibleConfiguration> byKey;
    private volatile @Nullable Merged merged;

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
        List<VisibleConfiguration> configurations =
                new ArrayList<>(snapshot.resources().size());
        snapshot.resources().forEach(r -> configurations.add(new VisibleConfiguration(r)));
        return new ConfigurationLayer(configurations);
    }

    boolean isEmpty() {
        return byKey.isEmpty();
    }

    @Nullable
    VisibleConfiguration get(String key) {
        return byKey.get(key);
    }

    /** Merges this layer of a service with the shared layer. The result is cached until one of them changes. */
    Merged over(ConfigurationLayer shared) {
        Merged m = merged;
        if (m == null || m.shared != shared) {
            TreeMap<String, VisibleConfiguration> configurations = new TreeMap<>(shared.byKey);
            configurations.putAll(byKey);
            m = Merged.of(shared, List.copyOf(configurations.values()));
            merged = m;
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
