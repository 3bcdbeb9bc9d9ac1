package dev.configservice.config;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import dev.configservice.log.SortedResources;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.LargeUnits;
import dev.configservice.snapshot.Snapshot;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
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

    /** The largest JSON of a part that is kept beside that of its configurations, in bytes. */
    private static final int MAX_JOINED = 256 << 10;

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
        private final boolean anySealed;
        private volatile byte @Nullable [] json;
        private volatile @Nullable Object view;

        private Configurations(List<Resource> resources) {
            byKey = new HashMap<>(resources.size() * 2);
            sorted = new ArrayList<>(resources.size());
            for (Resource r : resources) {
                VisibleConfiguration configuration = new VisibleConfiguration(r);
                byKey.put(r.name(), configuration);
                sorted.add(configuration);
            }
            anySealed = sorted.stream().anyMatch(VisibleConfiguration::isSealed);
        }

        static Configurations of(SortedResources.Part part) {
            return part.view(Configurations.class, Configurations::new);
        }

        @SuppressWarnings("unchecked")
        <T> T view(Function<List<VisibleConfiguration>, T> make) {
            Object known = view;
            if (known == null) {
                known = make.apply(sorted);
                view = known;
            }
            return (T) known;
        }

        /**
         * Returns their JSON: one array with commas between them, or one for each if they are so large that another
         * copy would cost more than it saves. They must not be modified.
         */
        List<byte[]> json() {
            byte[] known = json;
            if (known != null) {
                return List.of(known);
            }
            List<byte[]> each = rendered(sorted);
            if (joinedLength(each) > MAX_JOINED) {
                return each;
            }
            known = joined(each);
            json = known;
            return List.of(known);
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

    /**
     * Returns what a facade derives from the configurations, for each part of the layer. It is made once for each part, so
     * all callers must pass equivalent functions.
     */
    <T> List<T> views(Function<List<VisibleConfiguration>, T> make) {
        if (resources.parts().size() == 1) {
            return List.of(Configurations.of(resources.parts().get(0)).view(make));
        }
        List<T> views = new ArrayList<>(resources.parts().size());
        resources.parts().forEach(part -> views.add(Configurations.of(part).view(make)));
        return views;
    }

    /** Returns the configurations, sorted by key. */
    List<VisibleConfiguration> sorted() {
        List<VisibleConfiguration> all = new ArrayList<>(size());
        resources.parts().forEach(part -> all.addAll(Configurations.of(part).sorted));
        return all;
    }

    /** Returns the length of elements with commas between them. */
    private static int joinedLength(List<byte[]> elements) {
        int length = Math.max(0, elements.size() - 1);
        for (byte[] element : elements) {
            length = Math.addExact(length, element.length);
        }
        return length;
    }

    private static List<byte[]> rendered(List<VisibleConfiguration> configurations) {
        return configurations.stream().map(VisibleConfiguration::json).toList();
    }

    private static byte[] joined(List<byte[]> elements) {
        byte[] joined = new byte[joinedLength(elements)];
        int at = 0;
        for (byte[] element : elements) {
            if (at > 0) {
                joined[at++] = ',';
            }
            System.arraycopy(element, 0, joined, at, element.length);
            at += element.length;
        }
        return joined;
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
        if (m == null || !m.isOver(shared)) {
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
            m = Merged.of(this, shared);
            merged = new WeakReference<>(m);
            room.put(this, m);
        }
        return m;
    }

    /** Does the same as {@link #over} on a worker thread when it is its turn, once for all callers that wait. */
    Future<Merged> overOnWorker(ConfigurationLayer shared, Cache<ConfigurationLayer, Merged> room, LargeUnits turns) {
        Merged m = known(shared, room);
        if (m != null) {
            return Future.succeededFuture(m);
        }
        synchronized (this) {
            Merging running = merging;
            if (running == null || running.with != shared || running.result.isComplete()) {
                Merging started = new Merging(shared, turns.first(() -> over(shared, room)));
                merging = started;
                started.result.onComplete(done -> ended(started));
                return started.result;
            }
            return running.result;
        }
    }

    @SuppressWarnings("ReferenceEquality") // compared by identity
    private synchronized void ended(Merging merge) {
        if (merging == merge) {
            merging = null;
        }
    }

    /** A merge in progress. */
    private record Merging(ConfigurationLayer with, Future<Merged> result) {}

    /** Returns the configurations of this layer and those of the shared one that it does not have, sorted by key. */
    List<VisibleConfiguration> configurationsOver(ConfigurationLayer shared) {
        List<VisibleConfiguration> first = sorted();
        if (this == shared || shared.isEmpty()) {
            return first;
        }
        List<VisibleConfiguration> second = shared.sorted();
        List<VisibleConfiguration> all = new ArrayList<>(first.size() + second.size());
        int i = 0;
        int j = 0;
        while (i < first.size() || j < second.size()) {
            int order = i == first.size()
                    ? 1
                    : j == second.size()
                            ? -1
                            : CodePointOrder.INSTANCE.compare(
                                    first.get(i).key(), second.get(j).key());
            all.add(order <= 0 ? first.get(i) : second.get(j));
            i += order <= 0 ? 1 : 0;
            j += order >= 0 ? 1 : 0;
        }
        return all;
    }

    /**
     * The answer with all configurations that a service sees. It must not keep a layer alive: it is kept by a weak key,
     * and a key that its value holds is never let go.
     *
     * @param shared the shared layer that went into it
     * @param json all of them as a JSON array, without actors and encrypted values; must not be modified
     */
    record Merged(WeakReference<ConfigurationLayer> shared, boolean anySealed, Buffer json) {
        private static final int OWN_BYTES = 200;

        private static Merged of(ConfigurationLayer own, ConfigurationLayer shared) {
            if (own == shared || shared.isEmpty()) {
                // the parts are joined already, but for those that have changed
                List<Configurations> parts =
                        own.resources.parts().stream().map(Configurations::of).toList();
                return new Merged(
                        new WeakReference<>(shared),
                        parts.stream().anyMatch(p -> p.anySealed),
                        array(parts.stream().flatMap(p -> p.json().stream()).toList()));
            }
            List<VisibleConfiguration> all = own.configurationsOver(shared);
            return new Merged(
                    new WeakReference<>(shared),
                    all.stream().anyMatch(VisibleConfiguration::isSealed),
                    array(rendered(all)));
        }

        private static Buffer array(List<byte[]> elements) {
            Buffer json =
                    Buffer.buffer(Math.addExact(joinedLength(elements), 2)).appendByte((byte) '[');
            for (byte[] element : elements) {
                if (json.length() > 1) {
                    json.appendByte((byte) ',');
                }
                json.appendBytes(element);
            }
            return json.appendByte((byte) ']');
        }

        private boolean isOver(ConfigurationLayer layer) {
            return shared.refersTo(layer);
        }

        private int bytes() {
            return json.length() + OWN_BYTES;
        }
    }
}
