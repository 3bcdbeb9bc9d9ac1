package dev.configservice.config;

import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Configurations as services see them, from memory. Knows no HTTP and no caller: what may be shown is up to its users. */
public final class Configurations {
    private final SnapshotCache cache;
    private final String defaultEnvironment;

    public Configurations(SnapshotCache cache, String defaultEnvironment) {
        this.cache = cache;
        this.defaultEnvironment = defaultEnvironment;
    }

    /** The environment of a read that names none. */
    public String defaultEnvironment() {
        return defaultEnvironment;
    }

    /**
     * The configurations that a service sees: its own layer over the shared one.
     *
     * @param serviceName null for the shared ones alone
     * @param minRevision the revision that the result must cover; 0 for what this node has applied
     */
    public Future<View> view(String environment, @Nullable String serviceName, long minRevision) {
        Future<Snapshot> common = cache.get(ConfigurationLayer.unit(environment, ""), minRevision);
        if (serviceName == null) {
            return Futures.map(common, c -> new View(null, c));
        }
        Future<Snapshot> own = cache.get(ConfigurationLayer.unit(environment, serviceName), minRevision);
        return Futures.then(own, o -> Futures.map(common, c -> new View(o, Objects.requireNonNull(c))));
    }

    /** What a service sees, as of one moment. */
    public static final class View {
        private final @Nullable Snapshot own;
        private final Snapshot common;

        private View(@Nullable Snapshot own, Snapshot common) {
            this.own = own;
            this.common = common;
        }

        /** A configuration by its key; null where there is none. */
        public @Nullable VisibleConfiguration get(String key) {
            VisibleConfiguration configuration =
                    own == null ? null : ConfigurationLayer.of(own).get(key);
            return configuration == null ? ConfigurationLayer.of(common).get(key) : configuration;
        }

        private ConfigurationLayer.Merged merged() {
            ConfigurationLayer shared = ConfigurationLayer.of(common);
            ConfigurationLayer layer = own == null ? shared : ConfigurationLayer.of(own);
            // services without a layer of their own all see the same, which is kept with the shared one
            return layer.isEmpty() ? shared.over(shared) : layer.over(shared);
        }

        /** All configurations, sorted by key. */
        public List<VisibleConfiguration> all() {
            return merged().configurations();
        }

        /** All configurations as a JSON array for anyone who may read them; not to be changed. */
        public Buffer json() {
            return merged().json();
        }

        /** Tells whether any of them is encrypted. */
        public boolean hasSealed() {
            return merged().anySealed();
        }

        /** The revision of the last change in it. */
        public long lastChange() {
            return Math.max(common.lastChange(), own == null ? 0 : own.lastChange());
        }

        /** The revision that it stands for. */
        public long asOf() {
            return Math.min(
                    common.asOf().revision(),
                    own == null ? Long.MAX_VALUE : own.asOf().revision());
        }

        /** Tells whether newer changes are known, and PostgreSQL is unreachable. */
        public boolean isOutdated() {
            return common.isOutdated() || (own != null && own.isOutdated());
        }
    }
}
