package dev.configservice.snapshot;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.hazelcast.config.Config;
import com.hazelcast.config.EvictionConfig;
import com.hazelcast.config.EvictionPolicy;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MaxSizePolicy;
import com.hazelcast.config.NearCacheConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceAware;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.map.IMap;
import com.hazelcast.map.impl.proxy.NearCachedMapProxyImpl;
import com.hazelcast.nio.serialization.HazelcastSerializationException;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import dev.configservice.settings.CacheSettings;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The grid's map of snapshots, and this node's near cache of it. A hit in the near cache returns the cached object
 * itself, in a stage that is already complete. The keys contain the epoch of the log.
 */
public final class NearCache {
    static final String MAP = "snapshots";
    /** The size from which a snapshot is kept out of the grid if its owner is full. */
    private static final int LARGE_BYTES = 64 << 10;

    private static final Logger log = LoggerFactory.getLogger(NearCache.class);

    private final HazelcastInstance hazelcast;
    private final IMap<String, Object> map;
    /** The sizes of the snapshots in the near cache. */
    private final Cache<String, Integer> weights;

    /**
     * Creates the near cache of a member.
     *
     * @param maxBytes the size of the snapshots in it; Hazelcast itself can only count them
     */
    public NearCache(HazelcastInstance hazelcast, long maxBytes) {
        this.hazelcast = hazelcast;
        this.map = hazelcast.getMap(MAP);
        this.weights = Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((String key, Integer bytes) -> bytes)
                .executor(Runnable::run)
                .evictionListener((@Nullable String key, @Nullable Integer bytes, RemovalCause cause) -> drop(key))
                .build();
    }

    /** Removes a snapshot from this node's near cache, and leaves it in the grid. */
    private void drop(@Nullable String gridKey) {
        if (gridKey != null && map instanceof NearCachedMapProxyImpl<?, ?> near) {
            near.getNearCache().invalidate(gridKey);
        }
    }

    /** Records that a snapshot in the near cache was read. When there is no room, others leave, the least used first. */
    void used(String gridKey, Snapshot snapshot) {
        Integer known = weights.getIfPresent(gridKey);
        int bytes = snapshot.bytes();
        if (known == null || known != bytes) {
            weights.put(gridKey, bytes);
        }
    }

    /** Returns the size of the snapshots in the near cache, in bytes. */
    long bytes() {
        return weights.policy().eviction().map(e -> e.weightedSize().orElse(0)).orElse(0L);
    }

    /** Adds the settings of the map to a node's Hazelcast configuration. */
    public static void configure(Config config, CacheSettings settings, SnapshotSeal seal) {
        int nearEntries = settings.nearEntries();
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new SnapshotSerializer(seal))
                .addSerializer(new OfferSerializer());
        EvictionConfig near = new EvictionConfig()
                .setEvictionPolicy(EvictionPolicy.LRU)
                .setMaxSizePolicy(MaxSizePolicy.ENTRY_COUNT)
                .setSize(nearEntries);
        EvictionConfig owned = new EvictionConfig()
                .setEvictionPolicy(EvictionPolicy.LRU)
                .setMaxSizePolicy(MaxSizePolicy.USED_HEAP_PERCENTAGE)
                .setSize(settings.gridPercent());
        config.addMapConfig(new MapConfig(MAP)
                .setBackupCount(0)
                .setEvictionConfig(owned)
                .setNearCacheConfig(new NearCacheConfig()
                        .setInMemoryFormat(InMemoryFormat.OBJECT)
                        .setCacheLocalEntries(true)
                        .setInvalidateOnChange(true)
                        .setEvictionConfig(near)));
    }

    /** Returns the value of a key. It is not a snapshot if someone outside this cluster wrote to the grid. */
    CompletionStage<@Nullable Object> get(String gridKey) {
        return map.getAsync(gridKey);
    }

    /** Returns a value as the snapshot of a unit; null if it is another one or none. */
    static @Nullable Snapshot snapshotOf(UnitId unit, @Nullable Object value) {
        return value instanceof Snapshot s && s.unit().equals(unit) ? s : null;
    }

    /** Stores a snapshot unless one that is as new or newer is present. Callers do not need to wait for the result. */
    CompletionStage<Boolean> offer(String gridKey, Snapshot snapshot) {
        return map.submitToKey(gridKey, new Offer(snapshot));
    }

    /** Tells whether this node owns a key, and so keeps the grid's snapshot up to date. */
    boolean owns(String gridKey) {
        var owner = hazelcast.getPartitionService().getPartition(gridKey).getOwner();
        return owner != null && owner.localMember();
    }

    /** Removes a snapshot from this node's near cache. */
    void forget(String gridKey) {
        weights.invalidate(gridKey);
        drop(gridKey);
    }

    /** Removes a snapshot from the grid, without waiting for the result. */
    void remove(String gridKey) {
        forget(gridKey);
        map.deleteAsync(gridKey);
    }

    /** Removes all snapshots from the grid. Blocks. */
    void clear() {
        map.evictAll();
    }

    /**
     * An entry processor that stores a snapshot if it is newer than the current one. It runs on the owner of the key.
     */
    static final class Offer implements EntryProcessor<String, Object, Boolean>, HazelcastInstanceAware {
        private final Snapshot snapshot;
        private transient @Nullable HazelcastInstance owner;

        Offer(Snapshot snapshot) {
            this.snapshot = snapshot;
        }

        @Override
        public Boolean process(Map.Entry<String, Object> entry) {
            Snapshot there = current(entry);
            if (there != null && there.asOf().compareTo(snapshot.asOf()) >= 0) {
                return false;
            }
            if (!fits(there)) {
                return false;
            }
            entry.setValue(snapshot);
            return true;
        }

        @Override
        public void setHazelcastInstance(HazelcastInstance hazelcast) {
            owner = hazelcast;
        }

        /**
         * Tells whether the owner has room for a large snapshot. Hazelcast evicts only from the partition that it puts something
         * into, so that large ones in many partitions would pass its limit many times over.
         */
        private boolean fits(@Nullable Snapshot there) {
            int length = snapshot.packedLength();
            if (owner == null || length <= LARGE_BYTES) {
                return true;
            }
            int percent =
                    owner.getConfig().getMapConfig(MAP).getEvictionConfig().getSize();
            long max = Runtime.getRuntime().maxMemory() / 100 * percent;
            long stored = owner.getMap(MAP).getLocalMapStats().getOwnedEntryMemoryCost();
            return stored + length - (there == null ? 0 : there.packedLength()) <= max;
        }

        /** Returns the stored snapshot; null if there is none, or if what is there was not written by this cluster. */
        private @Nullable Snapshot current(Map.Entry<String, Object> entry) {
            try {
                return snapshotOf(snapshot.unit(), entry.getValue());
            } catch (RuntimeException e) {
                log.debug("grid.unreadable-value cause={}", e.toString());
                return null;
            }
        }

        @Override
        public @Nullable EntryProcessor<String, Object, Boolean> getBackupProcessor() {
            return null;
        }
    }

    private static final class SnapshotSerializer implements CompactSerializer<Snapshot> {
        private final SnapshotSeal seal;

        SnapshotSerializer(SnapshotSeal seal) {
            this.seal = seal;
        }

        @Override
        public Snapshot read(CompactReader reader) {
            Snapshot snapshot = seal.open(
                    UnitId.parse(text(reader.readString("unit"))),
                    new Position(reader.readInt64("epoch"), reader.readInt64("revision")),
                    reader.readInt64("last_change"),
                    bytes(reader.readArrayOfInt8("payload")),
                    bytes(reader.readArrayOfInt8("code")));
            if (snapshot == null) {
                seal.refused("grid");
                throw new HazelcastSerializationException("the snapshot was not written by this cluster");
            }
            return snapshot;
        }

        @Override
        public void write(CompactWriter writer, Snapshot snapshot) {
            writer.writeString("unit", snapshot.unit().key());
            writer.writeInt64("epoch", snapshot.asOf().epoch());
            writer.writeInt64("revision", snapshot.asOf().revision());
            writer.writeInt64("last_change", snapshot.lastChange());
            byte[] packed = snapshot.packed();
            writer.writeArrayOfInt8("payload", packed);
            writer.writeArrayOfInt8("code", seal.code(snapshot, packed));
        }

        @Override
        public String getTypeName() {
            return "snapshot";
        }

        @Override
        public Class<Snapshot> getCompactClass() {
            return Snapshot.class;
        }
    }

    private static final class OfferSerializer implements CompactSerializer<Offer> {
        @Override
        public Offer read(CompactReader reader) {
            return new Offer(Objects.requireNonNull(reader.readCompact("snapshot")));
        }

        @Override
        public void write(CompactWriter writer, Offer offer) {
            writer.writeCompact("snapshot", offer.snapshot);
        }

        @Override
        public String getTypeName() {
            return "snapshot-offer";
        }

        @Override
        public Class<Offer> getCompactClass() {
            return Offer.class;
        }
    }

    private static String text(@Nullable String s) {
        return s == null ? "" : s;
    }

    private static byte[] bytes(byte @Nullable [] b) {
        return b == null ? new byte[0] : b;
    }
}
