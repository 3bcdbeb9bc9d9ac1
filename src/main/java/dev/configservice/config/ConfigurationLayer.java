package dev.configservice.config;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The configurations of one environment that belong to one service, or that all services share. Immutable. They are
 * rendered by part, so a change renders only what changed.
 */
final class ConfigurationLayer {
    /**
     * The only empty layer. Merges are cached by the identity of the layers, so a cached merge stays valid when one
     * empty layer replaces another.
     */
    private static final ConfigurationLayer EMPTY = new ConfigurationLayer(SortedResources.EMPTY);

    private static final int ASK_EVERY = 64;
    private static final byte[] COMMA = ",".getBytes(StandardCharsets.US_ASCII);

    private final SortedResources resources;
    /** The configurations of a layer that has only one part, which most layers do: it saves a lookup some steps. */
    private final @Nullable Map<String, VisibleConfiguration> only;
    /**
     * The last merge. It is kept as long as there is room for it. The weak reference saves most reads a lookup.
     */
    private volatile WeakReference<@Nullable Merged> merged = new WeakReference<>(null);

    // not synchronized: a lost increment only delays the next lookup
    private int reads;

    private @Nullable Merging merging;

    private ConfigurationLayer(SortedResources resources) {
        this.resources = resources;
        this.only = resources.parts().size() == 1
                ? Configurations.of(resources.parts().get(0)).byKey
                : null;
    }

    /** The configurations of a part of the layer. */
    private static final class Configurations {
        private final Map<String, VisibleConfiguration> byKey;
        private final List<VisibleConfiguration> sorted;

        private Configurations(List<Resource> resources) {
            byKey = new HashMap<>(resources.size() * 2);
            sorted = new ArrayList<>(resources.size());
            for (Resource r : resources) {
                VisibleConfiguration configuration = new VisibleConfiguration(r);
                byKey.put(r.name(), configuration);
                sorted.add(configuration);
            }
        }

        static Configurations of(SortedResources.Part part) {
            return part.view(Configurations.class, Configurations::new);
        }
    }

    static UnitId unit(String environment, String serviceName) {
        return new UnitId(ConfigurationKind.NAME, environment, serviceName);
    }

    static ConfigurationLayer of(Snapshot snapshot) {
        return snapshot.view(
                ConfigurationLayer.class, s -> s.resources().isEmpty() ? EMPTY : new ConfigurationLayer(s.resources()));
    }

    boolean isEmpty() {
        return resources.isEmpty();
    }

    int size() {
        return resources.size();
    }

    @Nullable
    VisibleConfiguration get(String key) {
        if (only != null) {
            return only.get(key);
        }
        SortedResources.Part part = resources.partOf(key);
        return part == null ? null : Configurations.of(part).byKey.get(key);
    }

    /** Returns the configurations, sorted by key. */
    private Iterator<VisibleConfiguration> sorted() {
        return resources.parts().stream()
                .flatMap(part -> Configurations.of(part).sorted.stream())
                .iterator();
    }

    /** Creates the room for merged layers. Layers are compared by identity. */
    static Cache<ConfigurationLayer, Merged> room(long bytes) {
        return Caffeine.newBuilder()
                .weakKeys()
                .maximumWeight(bytes)
                .weigher((ConfigurationLayer layer, Merged merge) -> merge.bytes())
                .build();
    }

    /** Returns the last merge of this layer of a service with the shared layer; null if it is not kept. */
    private @Nullable Merged known(ConfigurationLayer shared, Cache<ConfigurationLayer, Merged> room) {
        Merged m = merged.get();
        if (m == null || m.shared != shared) {
            return null;
        }
        if (++reads % ASK_EVERY == 0 && room.getIfPresent(this) == null) {
            room.put(this, m);
        }
        return m;
    }

    /** Merges this layer of a service with the shared layer. The result is kept for a while, if there is room. */
    Merged over(ConfigurationLayer shared, Cache<ConfigurationLayer, Merged> room) {
        Merged m = known(shared, room);
        if (m == null) {
            m = Merged.of(shared, merge(this, shared));
            merged = new WeakReference<>(m);
            room.put(this, m);
        }
        return m;
    }

    /** Does the same as {@link #over} on a worker thread, once for all callers that wait. */
    Future<Merged> overOnWorker(ConfigurationLayer shared, Cache<ConfigurationLayer, Merged> room) {
        Merged m = known(shared, room);
        if (m != null) {
            return Future.succeededFuture(m);
        }
        synchronized (this) {
            Merging running = merging;
            if (running == null || running.with != shared || running.result.isComplete()) {
                running = new Merging(shared, Futures.onWorker(() -> over(shared, room)));
                merging = running;
            }
            return running.result;
        }
    }

    /** A merge in progress. */
    private record Merging(ConfigurationLayer with, Future<Merged> result) {}

    /** Merges two layers, of which the first wins where both have a key. */
    private static List<VisibleConfiguration> merge(ConfigurationLayer own, ConfigurationLayer shared) {
        List<VisibleConfiguration> all = new ArrayList<>(own.size() + shared.size());
        if (own == shared) {
            own.sorted().forEachRemaining(all::add);
            return all;
        }
        Iterator<VisibleConfiguration> first = own.sorted();
        Iterator<VisibleConfiguration> second = shared.sorted();
        VisibleConfiguration a = next(first);
        VisibleConfiguration b = next(second);
        while (a != null || b != null) {
            int order = a == null ? 1 : b == null ? -1 : CodePointOrder.INSTANCE.compare(a.key(), b.key());
            all.add(order <= 0 ? a : b);
            a = order <= 0 ? next(first) : a;
            b = order >= 0 ? next(second) : b;
        }
        return all;
    }

    private static @Nullable VisibleConfiguration next(Iterator<VisibleConfiguration> from) {
        return from.hasNext() ? from.next() : null;
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
            boolean anySealed = false;
            int length = 2 + Math.max(0, configurations.size() - 1);
            for (VisibleConfiguration configuration : configurations) {
                anySealed |= configuration.isSealed();
                length = Math.addExact(length, configuration.json().length);
            }
            Buffer json = Buffer.buffer(length).appendByte((byte) '[');
            boolean first = true;
            for (VisibleConfiguration configuration : configurations) {
                if (!first) {
                    json.appendBytes(COMMA);
                }
                json.appendBytes(configuration.json());
                first = false;
            }
            return new Merged(shared, configurations, anySealed, json.appendByte((byte) ']'));
        }
    }
}
