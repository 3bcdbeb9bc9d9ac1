package dev.configservice.snapshot;

import dev.configservice.log.Position;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last known good snapshots in Redis, by unit. A stored snapshot only moves forward. What has become of the unit of one is
 * known from the position beside them, {@link RedisPosition}, which also deletes them.
 */
public final class SnapshotStore {
    private static final Logger log = LoggerFactory.getLogger(SnapshotStore.class);

    /** The beginning of the keys of snapshots, before that of the unit. */
    static final String SNAPSHOT = "s:";

    /** The script of {@link #put}. A snapshot of a unit that has no resources any more at the stored position is dropped. */
    private static final String PUT_SNAPSHOT = """
            local e, r = tonumber(redis.call('HGET', KEYS[1], 'e')), tonumber(redis.call('HGET', KEYS[1], 'r'))
            local ne, nr = tonumber(ARGV[1]), tonumber(ARGV[2])
            if e and r and (e > ne or (e == ne and r >= nr)) then return 0 end
            local at = redis.call('HMGET', KEYS[2], 'e', 'r')
            if tonumber(at[1]) == ne and (tonumber(at[2]) or 0) >= nr and redis.call('HEXISTS', KEYS[3], ARGV[6]) == 0 then
              return 1
            end
            redis.call('HSET', KEYS[1], 'e', ARGV[1], 'r', ARGV[2], 'c', ARGV[3], 'p', ARGV[4], 'm', ARGV[5])
            return 1""";

    private final RedisServer redis;
    private final SnapshotSeal seal;

    public SnapshotStore(RedisServer redis, SnapshotSeal seal) {
        this.redis = redis;
        this.seal = seal;
    }

    /** A snapshot in the form in which it leaves the node: with its bytes and their authentication code. */
    static final class Sealed {
        final Snapshot snapshot;
        private final byte[] packed;
        private final byte[] code;

        private Sealed(Snapshot snapshot, byte[] packed, byte[] code) {
            this.snapshot = snapshot;
            this.packed = packed;
            this.code = code;
        }
    }

    /** Serializes a snapshot, which takes long for a large one. */
    Sealed seal(Snapshot snapshot) {
        byte[] packed = snapshot.packed();
        return new Sealed(
                Snapshot.ofPacked(snapshot.unit(), snapshot.asOf(), snapshot.lastChange(), packed),
                packed,
                seal.code(snapshot, packed));
    }

    /**
     * Returns the stored snapshot of a unit; null if there is none. One that is damaged, or that this cluster has not
     * written, is deleted, because it would keep out newer ones.
     */
    Future<@Nullable Snapshot> get(UnitId unit) {
        Future<@Nullable Response> fields = redis.soon(Request.cmd(Command.HMGET)
                .arg(key(unit))
                .arg("e")
                .arg("r")
                .arg("c")
                .arg("p")
                .arg("m"));
        return fields.transform(done -> {
            if (done.failed()) {
                return isWrongType(done.cause()) ? forget(unit) : Future.failedFuture(done.cause());
            }
            Response found = done.result();
            if (found == null
                    || StreamSupport.stream(found.spliterator(), false).allMatch(Objects::isNull)) {
                return Future.succeededFuture(null);
            }
            Snapshot snapshot = opened(unit, found);
            return snapshot == null ? forget(unit) : Future.succeededFuture(snapshot);
        });
    }

    /** Deletes what is stored for a unit, because it is not a snapshot that this cluster stored. */
    private Future<@Nullable Snapshot> forget(UnitId unit) {
        seal.refused("redis");
        return redis.soon(Request.cmd(Command.DEL).arg(key(unit))).map(done -> null);
    }

    private static boolean isWrongType(Throwable e) {
        return String.valueOf(e.getMessage()).startsWith("WRONGTYPE");
    }

    private @Nullable Snapshot opened(UnitId unit, Response fields) {
        try {
            return seal.open(
                    unit,
                    new Position(fields.get(0).toLong(), fields.get(1).toLong()),
                    fields.get(2).toLong(),
                    fields.get(3).toBytes(),
                    fields.get(4).toBytes());
        } catch (RuntimeException e) {
            // a field is missing or is no number
            log.debug("redis.unreadable-snapshot cause={}", e.toString());
            return null;
        }
    }

    /**
     * Stores a snapshot unless one that is as new or newer is already stored. One that keeps this snapshot out is
     * verified, so that a forged revision does not keep out newer data.
     */
    Future<Void> put(Sealed sealed) {
        Snapshot snapshot = sealed.snapshot;
        Request request = Request.cmd(Command.EVAL)
                .arg(PUT_SNAPSHOT)
                .arg(3)
                .arg(key(snapshot.unit()))
                .arg(redis.key(RedisPosition.POSITION))
                .arg(redis.key(RedisPosition.UNITS))
                .arg(snapshot.asOf().epoch())
                .arg(snapshot.asOf().revision())
                .arg(snapshot.lastChange())
                .arg(Buffer.buffer(sealed.packed))
                .arg(Buffer.buffer(sealed.code))
                .arg(snapshot.unit().key());
        return redis.soon(request)
                .recover(e -> isWrongType(e) ? Future.succeededFuture(null) : Future.failedFuture(e))
                .compose(stored -> stored != null && stored.toInteger() == 1
                        ? Future.succeededFuture()
                        : get(snapshot.unit())
                                .compose(there -> there == null ? redis.soon(request) : Future.succeededFuture()))
                .mapEmpty();
    }

    private String key(UnitId unit) {
        return redis.key(SNAPSHOT + unit.key());
    }
}
