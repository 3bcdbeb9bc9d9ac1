package dev.configservice.snapshot;

import dev.configservice.log.Change.Hash;
import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import dev.configservice.secret.ClusterMac;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The message authentication code that each snapshot in the grid and in Redis carries. Whoever can write to them without
 * the secret of the cluster can so only cause misses. The code covers all that is read: unit, position, last change and
 * the resources.
 */
public final class SnapshotSeal {
    private static final Logger log = LoggerFactory.getLogger(SnapshotSeal.class);
    private static final int CODE_BYTES = 32;
    private static final long WARN_EVERY_NANOS = 60_000_000_000L;

    private static final byte[] SNAPSHOT = bytes("snapshot");
    private static final byte[] UNIT = bytes("unit");
    private static final byte[] POSITION = bytes("position");
    private static final byte[] TIME = bytes("time");

    private final ClusterMac mac;
    private final MeterRegistry meters;
    private final AtomicLong warnedNanos = new AtomicLong(System.nanoTime() - WARN_EVERY_NANOS);

    public SnapshotSeal(ClusterMac mac, MeterRegistry meters) {
        this.mac = mac;
        this.meters = meters;
        refusals("grid");
        refusals("redis");
    }

    /** Returns the code of a snapshot whose {@link Snapshot#packed packed} bytes are given. */
    byte[] code(Snapshot snapshot, byte[] packed) {
        return mac.of(SNAPSHOT, head(snapshot.unit(), snapshot.asOf(), snapshot.lastChange()), packed);
    }

    /** Returns the snapshot; null if the code does not belong to it. */
    @Nullable
    Snapshot open(UnitId unit, Position asOf, long lastChange, byte[] packed, byte[] code) {
        return mac.verifies(code, SNAPSHOT, head(unit, asOf, lastChange), packed)
                ? Snapshot.ofPacked(unit, asOf, lastChange, packed)
                : null;
    }

    /**
     * A sum over the last revisions of all units. It does not depend on their order, so a change of one unit costs one
     * step. It stays in the node: only a code over it leaves the node, see {@link #code(Position, Hash, UnitSum)}.
     */
    static final class UnitSum {
        private final ClusterMac mac;
        private final byte[] sum = new byte[CODE_BYTES];
        private long units;

        private UnitSum(ClusterMac mac) {
            this.mac = mac;
        }

        /** Moves a unit from one revision to another; 0 if it has no resources. */
        void move(String unit, long was, long is) {
            if (was > 0) {
                add(unit, was);
                units--;
            }
            if (is > 0) {
                add(unit, is);
                units++;
            }
        }

        private void add(String unit, long revision) {
            byte[] code = mac.of(UNIT, SnapshotSeal.bytes(unit), longs(revision));
            for (int i = 0; i < sum.length; i++) {
                sum[i] ^= code[i];
            }
        }

        private byte[] bytes() {
            return ByteBuffer.allocate(Long.BYTES + sum.length)
                    .putLong(units)
                    .put(sum)
                    .array();
        }
    }

    /** Returns the sum over units. Takes long if there are many. */
    UnitSum sum(Map<String, Long> units) {
        return sum(mac, units);
    }

    private static UnitSum sum(ClusterMac mac, Map<String, Long> units) {
        UnitSum sum = new UnitSum(mac);
        units.forEach((unit, revision) -> sum.move(unit, 0, revision));
        return sum;
    }

    /** Returns the code of a position with the last revisions of all units. It is the same on every node. */
    byte[] code(Position position, Hash hash, UnitSum sum) {
        return mac.of(POSITION, longs(position.epoch(), position.revision()), bytes(hash.hex()), sum.bytes());
    }

    /** Returns the code of the time at which a node compared a position, whose code is given, with the log. */
    byte[] code(byte[] position, long atMillis) {
        return mac.of(TIME, position, longs(atMillis));
    }

    /**
     * Tells whether the codes belong to a position, to all of these units and to a time. Takes long if there are many
     * units.
     */
    boolean verifies(
            Position position, Hash hash, Map<String, Long> units, byte[] code, long atMillis, byte[] timeCode) {
        byte[] where = longs(position.epoch(), position.revision());
        return mac.each().stream()
                .anyMatch(m -> m.verifies(
                                code,
                                POSITION,
                                where,
                                bytes(hash.hex()),
                                sum(m, units).bytes())
                        && m.verifies(timeCode, TIME, code, longs(atMillis)));
    }

    /** Counts data of a tier that this cluster has not written, and logs it, at most once a minute. */
    void refused(String tier) {
        refusals(tier).increment();
        long now = System.nanoTime();
        long warned = warnedNanos.get();
        if (now - warned >= WARN_EVERY_NANOS && warnedNanos.compareAndSet(warned, now)) {
            log.warn(
                    "snapshot.not-authentic tier={} (damaged, or written without the secret of this cluster; not used)",
                    tier);
        }
    }

    private Counter refusals(String tier) {
        return Counter.builder("config_service_snapshots_refused")
                .description("Data in the grid or in Redis whose authentication code is wrong, so that it was not used")
                .tag("tier", tier)
                .register(meters);
    }

    private static byte[] head(UnitId unit, Position asOf, long lastChange) {
        byte[] key = bytes(unit.key());
        return ByteBuffer.allocate(3 * Long.BYTES + key.length)
                .put(longs(asOf.epoch(), asOf.revision(), lastChange))
                .put(key)
                .array();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] longs(long... values) {
        ByteBuffer all = ByteBuffer.allocate(values.length * Long.BYTES);
        for (long value : values) {
            all.putLong(value);
        }
        return all.array();
    }
}
