package dev.configservice.snapshot;

import com.hazelcast.config.Config;
import com.hazelcast.config.EvictionConfig;
import com.hazelcast.config.EvictionPolicy;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MaxSizePolicy;
import com.hazelcast.config.NearCacheConfig;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.EntryProcessor;
import com.hazelcast.map.IMap;
import com.hazelcast.nio.serialization.compact.CompactReader;
import com.hazelcast.nio.serialization.compact.CompactSerializer;
import com.hazelcast.nio.serialization.compact.CompactWriter;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The grid's map of snapshots, and this node's near cache of it. A hit in the near cache returns the cached object
 * itself, in a stage that is already complete. The keys contain the epoch of the log.
 */
public final class NearCache {
    static final String MAP = "snapshots";

    private final HazelcastInstance hazelcast;
    private final IMap<String, Snapshot> map;

    public NearCache(HazelcastInstance hazelcast) {
        this.hazelcast = hazelcast;
        this.map = hazelcast.getMap(MAP);
    }

    /** Adds the settings of the map to a node's Hazelcast configuration. */
    public static void configure(Config config, int nearEntries) {
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new SnapshotSerializer())
                .addSerializer(new OfferSerializer());
        EvictionConfig near = new EvictionConfig()
                .setEvictionPolicy(EvictionPolicy.LRU)
                .setMaxSizePolicy(MaxSizePolicy.ENTRY_COUNT)
                .setSize(nearEntries);
        EvictionConfig owned = new EvictionConfig()
                .setEvictionPolicy(EvictionPolicy.LRU)
                .setMaxSizePolicy(MaxSizePolicy.PER_NODE)
                .setSize(Math.max(nearEntries, 1000));
        config.addMapConfig(new MapConfig(MAP)
                .setBackupCount(0)
                .setEvictionConfig(owned)
                .setNearCacheConfig(new NearCacheConfig()
                        .setInMemoryFormat(InMemoryFormat.OBJECT)
                        .setCacheLocalEntries(true)
                        .setInvalidateOnChange(true)
                        .setEvictionConfig(near)));
    }

    CompletionStage<@Nullable Snapshot> get(String gridKey) {
        return map.getAsync(gridKey);
    }

    /** Stores a snapshot unless one that is as new or newer is present. Callers do not need to wait for the result. */
    CompletionStage<Boolean> offer(String gridKey, Snapshot snapshot, byte[] packed) {
        return map.submitToKey(
                gridKey,
                new Offer(
                        snapshot.unit().key(),
                        snapshot.asOf().epoch(),
                        snapshot.asOf().revision(),
                        snapshot.lastChange(),
                        packed));
    }

    /** Tells whether this node owns a key, and so keeps the grid's snapshot up to date. */
    boolean owns(String gridKey) {
        var owner = hazelcast.getPartitionService().getPartition(gridKey).getOwner();
        return owner != null && owner.localMember();
    }

    /** Removes all snapshots from the grid. Blocks. */
    void clear() {
        map.evictAll();
    }

    /**
     * An entry processor that stores a snapshot if it is newer than the current one. It runs on the owner of the key.
     */
    static final class Offer implements EntryProcessor<String, Snapshot, Boolean> {
        private final String unit;
        private final long epoch;
        private final long revision;
        private final long lastChange;
        private final byte[] payload;

        Offer(String unit, long epoch, long revision, long lastChange, byte[] payload) {
            this.unit = unit;
            this.epoch = epoch;
            this.revision = revision;
            this.lastChange = lastChange;
            this.payload = payload;
        }

        @Override
        public Boolean process(Map.Entry<String, Snapshot> entry) {
            Position offered = new Position(epoch, revision);
            Snapshot there = entry.getValue();
            if (there != null && there.asOf().compareTo(offered) >= 0) {
                return false;
            }
            entry.setValue(Snapshot.ofPayload(UnitId.parse(unit), offered, lastChange, payload));
            return true;
        }

        @Override
        public @Nullable EntryProcessor<String, Snapshot, Boolean> getBackupProcessor() {
            return null;
        }
    }

    private static final class SnapshotSerializer implements CompactSerializer<Snapshot> {
        @Override
        public Snapshot read(CompactReader reader) {
            return Snapshot.ofPayload(
                    UnitId.parse(text(reader.readString("unit"))),
                    new Position(reader.readInt64("epoch"), reader.readInt64("revision")),
                    reader.readInt64("last_change"),
                    bytes(reader.readArrayOfInt8("payload")));
        }

        @Override
        public void write(CompactWriter writer, Snapshot snapshot) {
            writer.writeString("unit", snapshot.unit().key());
            writer.writeInt64("epoch", snapshot.asOf().epoch());
            writer.writeInt64("revision", snapshot.asOf().revision());
            writer.writeInt64("last_change", snapshot.lastChange());
            writer.writeArrayOfInt8("payload", snapshot.packed());
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
            return new Offer(
                    text(reader.readString("unit")),
                    reader.readInt64("epoch"),
                    reader.readInt64("revision"),
                    reader.readInt64("last_change"),
                    bytes(reader.readArrayOfInt8("payload")));
        }

        @Override
        public void write(CompactWriter writer, Offer offer) {
            writer.writeString("unit", offer.unit);
            writer.writeInt64("epoch", offer.epoch);
            writer.writeInt64("revision", offer.revision);
            writer.writeInt64("last_change", offer.lastChange);
            writer.writeArrayOfInt8("payload", offer.payload);
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
