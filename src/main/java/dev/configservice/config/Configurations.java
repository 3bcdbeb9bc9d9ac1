package dev.configservice.config;

import com.github.benmanes.caffeine.cache.Cache;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.LargeUnits;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.vertx.Futures;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The configurations that services see, read from memory. This class knows neither HTTP nor callers: the code that
 * uses it must check rights.
 */
public final class Configurations {
    /** The number of configurations from which their merge takes more than about a millisecond. */
    private static final int LARGE = 1000;

    /** The same for their size, as {@link Snapshot} estimates it: a third or less of it is text that is read and written. */
    private static final long LARGE_BYTES = 1 << 20;

    private final SnapshotCache cache;
    private final String defaultEnvironment;
    private final Cache<ConfigurationLayer, ConfigurationLayer.Merged> room;
    private final LargeUnits turns;

    /**
     * Creates the reads of a node.
     *
     * @param turns the turns of what takes much memory
     * @param mergedBytes the memory for merged layers
     */
    public Configurations(
            SnapshotCache cache, LargeUnits turns, String defaultEnvironment, long mergedBytes, MeterRegistry meters) {
        this.cache = cache;
        this.turns = turns;
        this.room = ConfigurationLayer.room(mergedBytes);
        this.defaultEnvironment = defaultEnvironment;
        Gauge.builder("config_service_cache_bytes", room, SnapshotCache::weight)
                .description("Estimated size of the snapshots that this node keeps in memory")
                .tag("part", "merged")
                .register(meters);
    }

    /** Returns the environment of a read that names none. */
    public String defaultEnvironment() {
        return defaultEnvironment;
    }

    /**
     * Returns the configurations that a service sees: its own layer over the shared one.
     *
     * @param serviceName null for the shared configurations only
     * @param minRevision the revision that the result must include; 0 for the latest that this node has applied
     */
    public Future<View> view(String environment, @Nullable String serviceName, long minRevision) {
        Future<Snapshot> common = cache.get(ConfigurationLayer.unit(environment, ""), minRevision);
        if (serviceName == null) {
            return Futures.map(common, c -> new View(this, null, c, false));
        }
        Future<Snapshot> own = cache.get(ConfigurationLayer.unit(environment, serviceName), minRevision);
        return Futures.then(
                own,
                o -> Futures.then(
                        common,
                        c -> cache.agree(o, c)
                                ? Future.succeededFuture(new View(this, o, c, false))
                                : cache.together(List.of(o.unit(), c.unit()), minRevision)
                                        .map(both -> new View(this, both.get(0), both.get(1), false))));
    }

    /**
     * Returns the configurations that a service saw at a revision, which {@link PastSnapshots.Reads#revision} returned. Those
     * that were encrypted then, or are now, have no value.
     */
    public Future<View> viewAt(
            PastSnapshots.Reads past, String environment, @Nullable String serviceName, long revision) {
        Future<Snapshot> common = past.get(ConfigurationLayer.unit(environment, ""), revision);
        if (serviceName == null) {
            return common.map(c -> new View(this, null, c, true));
        }
        Future<Snapshot> own = past.get(ConfigurationLayer.unit(environment, serviceName), revision);
        return Future.all(own, common).map(both -> new View(this, own.result(), common.result(), true));
    }

    /** Returns the unit of a layer. An empty name stands for the layer that all services share. */
    public static UnitId unit(String environment, String serviceName) {
        return ConfigurationLayer.unit(environment, serviceName);
    }

    /**
     * Returns a layer alone.
     *
     * @param serviceName empty for the layer that all services share
     * @param minRevision the revision that the result must include; 0 for the latest that this node has applied
     */
    public Future<Layer> layer(String environment, String serviceName, long minRevision) {
        return Futures.map(cache.get(ConfigurationLayer.unit(environment, serviceName), minRevision), Layer::new);
    }

    /**
     * Returns layers, each alone, but all of one revision. Their units are those that {@link #unit} returns.
     *
     * @param maxBytes the largest size of all of them together, as {@link Layer#bytes} estimates it
     * @param tooMuch the failure if they are larger; no more of them are read then
     */
    public Future<List<Layer>> layers(
            List<UnitId> layers, long minRevision, long maxBytes, Supplier<ServiceException> tooMuch) {
        Future<List<Snapshot>> read = cache.together(layers, minRevision, maxBytes);
        if (!read.succeeded()) {
            read = read.recover(e -> Future.failedFuture(
                    e instanceof ServiceException s && s.code() == ErrorCode.TOO_LARGE ? tooMuch.get() : e));
        }
        return Futures.map(read, found -> found.stream().map(Layer::new).toList());
    }

    /**
     * Makes something of large views or layers on a worker thread, when it is its turn: many at once would fill the heap. Fails
     * with {@code TOO_MANY} if too much is waiting already.
     */
    public <T> Future<T> whenItsTurn(Callable<T> work) {
        return turns.first(work);
    }

    /** The configurations of one environment that belong to one service, or to none. */
    public static final class Layer {
        private final Snapshot snapshot;
        private final ConfigurationLayer layer;

        private Layer(Snapshot snapshot) {
            this.snapshot = snapshot;
            this.layer = ConfigurationLayer.of(snapshot);
        }

        public boolean isEmpty() {
            return layer.isEmpty();
        }

        /** Returns the number of configurations. */
        public int size() {
            return layer.size();
        }

        /** Returns an estimate of the memory that the layer takes, in bytes. */
        public long bytes() {
            return snapshot.resources().bytes();
        }

        /** Returns the revision of the last change in the layer, also if that emptied it. */
        public long lastChange() {
            return snapshot.lastChange();
        }

        /** Returns the latest revision that the layer includes. */
        public long asOf() {
            return snapshot.asOf().revision();
        }

        /** Tells whether newer changes are known but cannot be read because PostgreSQL is unreachable. */
        public boolean isOutdated() {
            return snapshot.isOutdated();
        }

        /** Returns the configuration with this key, or null if there is none. */
        public @Nullable VisibleConfiguration get(String key) {
            return layer.get(key);
        }

        /** Returns the configurations, sorted by key. */
        public List<VisibleConfiguration> all() {
            return layer.sorted();
        }

        /**
         * Returns what a facade derives from the configurations, as a list of parts in the order of keys. Parts that do not
         * change are made once, so all callers must pass equivalent functions.
         */
        public <T> List<T> views(Function<List<VisibleConfiguration>, T> make) {
            return layer.views(make);
        }
    }

    /** The configurations that a service sees: a snapshot of its own layer and one of the shared layer. */
    public static final class View {
        /** The merge of both layers, once it was asked for; a view serves one request. */
        private ConfigurationLayer.@Nullable Merged merged;

        private final @Nullable Snapshot own;
        private final Snapshot common;
        private final boolean isPast;
        private final Configurations reads;

        private View(Configurations reads, @Nullable Snapshot own, Snapshot common, boolean isPast) {
            this.reads = reads;
            this.isPast = isPast;
            this.own = own;
            this.common = common;
        }

        /** Returns the configuration with this key, or null if there is none. */
        public @Nullable VisibleConfiguration get(String key) {
            VisibleConfiguration configuration =
                    own == null ? null : ConfigurationLayer.of(own).get(key);
            return configuration == null ? ConfigurationLayer.of(common).get(key) : configuration;
        }

        /** Returns the shared configuration that one of the service's own takes the place of; null if there is none. */
        @Nullable
        VisibleConfiguration overriddenBy(VisibleConfiguration configuration) {
            return configuration.isShared()
                    ? null
                    : ConfigurationLayer.of(common).get(configuration.key());
        }

        private ConfigurationLayer.Merged merged() {
            ConfigurationLayer.Merged known = merged;
            if (known == null) {
                known = top().over(ConfigurationLayer.of(common), reads.room);
                merged = known;
            }
            return known;
        }

        /** Returns the layer whose merge is wanted. */
        private ConfigurationLayer top() {
            ConfigurationLayer shared = ConfigurationLayer.of(common);
            ConfigurationLayer layer = own == null ? shared : ConfigurationLayer.of(own);
            // services without a layer of their own all see the same, so one merge, cached in the shared layer, will do
            return layer.isEmpty() ? shared : layer;
        }

        /**
         * Completes with this view when {@link #all} and {@link #json} are at hand. Large layers are merged on a worker
         * thread, because that would hold up an event loop.
         */
        public Future<View> whole() {
            if (merged != null) {
                return Future.succeededFuture(this);
            }
            ConfigurationLayer shared = ConfigurationLayer.of(common);
            ConfigurationLayer top = top();
            if (!isLarge()) {
                merged = top.over(shared, reads.room);
                return Future.succeededFuture(this);
            }
            return top.overOnWorker(shared, reads.room, reads.turns).map(done -> {
                merged = done;
                return this;
            });
        }

        /** Tells whether work on all configurations takes too long for an event loop. */
        boolean isLarge() {
            long bytes = common.resources().bytes()
                    + (own == null ? 0 : own.resources().bytes());
            return bytes > LARGE_BYTES
                    || top().size() + ConfigurationLayer.of(common).size() > LARGE;
        }

        /** Returns all configurations, sorted by key. */
        public List<VisibleConfiguration> all() {
            return top().configurationsOver(ConfigurationLayer.of(common));
        }

        /** Returns all configurations as a JSON array, without actors and encrypted values. It must not be modified. */
        public Buffer json() {
            return merged().json();
        }

        /** Tells whether any of the configurations is encrypted. */
        public boolean hasSealed() {
            return merged().anySealed();
        }

        /** Returns the revision of the last change in either layer. */
        public long lastChange() {
            return Math.max(common.lastChange(), own == null ? 0 : own.lastChange());
        }

        /** Returns the latest revision that both layers include. */
        public long asOf() {
            return Math.min(
                    common.asOf().revision(),
                    own == null ? Long.MAX_VALUE : own.asOf().revision());
        }

        /** Tells whether it is an earlier state, as of exactly {@link #asOf}. */
        boolean isPast() {
            return isPast;
        }

        /** Tells whether newer changes of a layer are known but cannot be read because PostgreSQL is unreachable. */
        public boolean isOutdated() {
            return common.isOutdated() || (own != null && own.isOutdated());
        }
    }
}
