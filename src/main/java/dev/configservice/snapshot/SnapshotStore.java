package dev.configservice.snapshot;

import dev.configservice.log.Change.Hash;
import dev.configservice.log.Position;
import dev.configservice.log.PositionStore;
import dev.configservice.log.UnitId;
import io.vertx.circuitbreaker.CircuitBreaker;
import io.vertx.circuitbreaker.CircuitBreakerOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last known good state in Redis: snapshots by unit, the position in the log, and the last revision of every unit.
 * The stored state only moves forward. Each call has a deadline. After several failures a circuit breaker stops calls
 * to Redis for a second. Without an address the store keeps nothing.
 */
public final class SnapshotStore implements PositionStore {
    private static final Logger log = LoggerFactory.getLogger(SnapshotStore.class);
    private static final Duration DEADLINE = Duration.ofMillis(50);
    private static final Duration START_DEADLINE = Duration.ofSeconds(2);

    private static final String PUT_SNAPSHOT = """
            local e, r = tonumber(redis.call('HGET', KEYS[1], 'e')), tonumber(redis.call('HGET', KEYS[1], 'r'))
            local ne, nr = tonumber(ARGV[1]), tonumber(ARGV[2])
            if e and (e > ne or (e == ne and r >= nr)) then return 0 end
            redis.call('HSET', KEYS[1], 'e', ARGV[1], 'r', ARGV[2], 'c', ARGV[3], 'p', ARGV[4])
            return 1""";

    /**
     * The script of {@link #advance}. It returns 1 if the position has been moved, by this node or by a faster one. It
     * returns 0 if the stored position is older than the one to start from, or if stored units are missing.
     */
    private static final String ADVANCE = """
            local e, r = tonumber(redis.call('HGET', KEYS[1], 'e')), tonumber(redis.call('HGET', KEYS[1], 'r'))
            local epoch, from, to = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
            if not e or e < epoch or (e == epoch and r < from) then return 0 end
            if e > epoch then return 1 end
            if redis.call('HLEN', KEYS[2]) ~= tonumber(redis.call('HGET', KEYS[1], 'n')) then return 0 end
            for i = 6, #ARGV, 2 do
              local was = tonumber(redis.call('HGET', KEYS[2], ARGV[i]))
              if not was or was < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
            end
            redis.call('HSET', KEYS[1], 'n', redis.call('HLEN', KEYS[2]))
            if r <= to then redis.call('HSET', KEYS[1], 'r', ARGV[3], 'h', ARGV[4], 'at', ARGV[5]) end
            return 1""";

    private static final String REPLACE = """
            local e, r = tonumber(redis.call('HGET', KEYS[1], 'e')), tonumber(redis.call('HGET', KEYS[1], 'r'))
            local epoch, to = tonumber(ARGV[1]), tonumber(ARGV[2])
            if e and (e > epoch or (e == epoch and r > to)) then return 0 end
            redis.call('DEL', KEYS[2])
            for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
            redis.call('HSET', KEYS[1], 'e', ARGV[1], 'r', ARGV[2], 'h', ARGV[3], 'at', ARGV[4],
                       'n', redis.call('HLEN', KEYS[2]))
            return 1""";

    private final @Nullable Redis redis;
    private final CircuitBreaker breaker;
    private final CircuitBreaker startBreaker;
    private final String prefix;
    private final InstantSource clock;
    private Future<?> lastReplace = Future.succeededFuture();

    /**
     * Creates a store at an address ({@code redis://[:password@]host:port}). With an empty address it keeps nothing.
     */
    public SnapshotStore(Vertx vertx, String uri, String clusterName, InstantSource clock) {
        this.prefix = "cs:{" + clusterName + "}:";
        this.clock = clock;
        this.redis = uri.isEmpty()
                ? null
                : Redis.createClient(
                        vertx,
                        new RedisOptions()
                                .setConnectionString(uri)
                                .setMaxPoolSize(8)
                                .setMaxPoolWaiting(2000)
                                .setMaxWaitingHandlers(4096));
        this.breaker = CircuitBreaker.create(
                "redis",
                vertx,
                new CircuitBreakerOptions()
                        .setMaxFailures(5)
                        .setTimeout(DEADLINE.toMillis())
                        .setResetTimeout(1000)
                        .setNotificationAddress(null));
        this.startBreaker = CircuitBreaker.create(
                "redis-start",
                vertx,
                new CircuitBreakerOptions()
                        .setMaxFailures(1000)
                        .setTimeout(START_DEADLINE.toMillis())
                        .setNotificationAddress(null));
    }

    /** Tells whether a Redis is configured. */
    public boolean isPresent() {
        return redis != null;
    }

    /** Makes a round trip to Redis, for health checks. */
    public Future<Void> ping() {
        return send(startBreaker, Request.cmd(Command.PING)).mapEmpty();
    }

    /** Returns the stored snapshot of a unit; null if there is none. */
    Future<@Nullable Snapshot> get(UnitId unit) {
        return send(
                        breaker,
                        Request.cmd(Command.HMGET)
                                .arg(snapshotKey(unit))
                                .arg("e")
                                .arg("r")
                                .arg("c")
                                .arg("p"))
                .map(response -> {
                    if (response == null || response.get(0) == null || response.get(3) == null) {
                        return null;
                    }
                    return Snapshot.ofPayload(
                            unit,
                            new Position(
                                    response.get(0).toLong(), response.get(1).toLong()),
                            response.get(2).toLong(),
                            response.get(3).toBytes());
                });
    }

    /** Stores a snapshot unless one that is as new or newer is already stored. */
    Future<Void> put(Snapshot snapshot, byte[] payload) {
        return send(
                        breaker,
                        Request.cmd(Command.EVAL)
                                .arg(PUT_SNAPSHOT)
                                .arg(1)
                                .arg(snapshotKey(snapshot.unit()))
                                .arg(snapshot.asOf().epoch())
                                .arg(snapshot.asOf().revision())
                                .arg(snapshot.lastChange())
                                .arg(Buffer.buffer(payload)))
                .mapEmpty();
    }

    private String snapshotKey(UnitId unit) {
        return prefix + "s:" + unit.key();
    }

    @Override
    public Future<Optional<Kept>> load() {
        if (redis == null) {
            return Future.succeededFuture(Optional.empty());
        }
        return send(startBreaker, Request.cmd(Command.HGETALL).arg(prefix + "position"))
                .compose(position -> position == null || position.get("e") == null
                        ? Future.succeededFuture(Optional.empty())
                        : send(startBreaker, Request.cmd(Command.HGETALL).arg(prefix + "units"))
                                .map(units -> whole(position, units)));
    }

    /**
     * Returns the position with all of its units; empty if Redis has lost some of them. A position without those units
     * would be wrong: the node would take them for empty.
     */
    private static Optional<Kept> whole(Response position, @Nullable Response units) {
        int kept = units == null ? 0 : units.getKeys().size();
        Response count = position.get("n");
        if (count == null || count.toInteger() != kept) {
            log.warn("redis.units-incomplete found={} expected={}", kept, count == null ? "unknown" : count);
            return Optional.empty();
        }
        return Optional.of(kept(position, units));
    }

    private static Kept kept(Response position, @Nullable Response units) {
        Map<String, Long> byUnit = new HashMap<>();
        if (units != null) {
            for (String key : units.getKeys()) {
                byUnit.put(key, units.get(key).toLong());
            }
        }
        return new Kept(
                new Position(position.get("e").toLong(), position.get("r").toLong()),
                new Hash(position.get("h").toString()),
                byUnit,
                Instant.ofEpochMilli(position.get("at").toLong()));
    }

    @Override
    public Future<Void> advance(Position before, Position after, Hash hash, Map<String, Long> units) {
        if (redis == null) {
            return Future.succeededFuture();
        }
        Request request = keyed(ADVANCE)
                .arg(after.epoch())
                .arg(before.revision())
                .arg(after.revision())
                .arg(hash.hex())
                .arg(clock.millis());
        units.forEach((unit, revision) -> request.arg(unit).arg(revision));
        return send(breaker, request)
                .compose(moved -> moved != null && moved.toInteger() == 1
                        ? Future.succeededFuture()
                        : Future.failedFuture("the position in Redis is older than " + before));
    }

    @Override
    public Future<Void> replace(Position position, Hash hash, Map<String, Long> units) {
        if (redis == null || !lastReplace.isComplete()) {
            return Future.succeededFuture();
        }
        Request request = keyed(REPLACE)
                .arg(position.epoch())
                .arg(position.revision())
                .arg(hash.hex())
                .arg(clock.millis());
        units.forEach((unit, revision) -> request.arg(unit).arg(revision));
        Future<Void> done = send(startBreaker, request).mapEmpty();
        lastReplace = done.onFailure(e -> log.warn("redis.units-not-stored cause={}", e.toString()));
        return done;
    }

    private Request keyed(String script) {
        return Request.cmd(Command.EVAL)
                .arg(script)
                .arg(2)
                .arg(prefix + "position")
                .arg(prefix + "units");
    }

    private Future<@Nullable Response> send(CircuitBreaker with, Request request) {
        Redis client = redis;
        if (client == null) {
            return Future.succeededFuture(null);
        }
        return with.execute(promise -> client.send(request).onComplete(promise));
    }

    public void close() {
        if (redis != null) {
            redis.close();
        }
        breaker.close();
        startBreaker.close();
    }
}
