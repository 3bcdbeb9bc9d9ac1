package dev.configservice.snapshot;

import dev.configservice.log.Change.Hash;
import dev.configservice.log.Position;
import dev.configservice.log.PositionStore;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The position in the log that Redis knows, and the last revision of every unit at it. It only moves forward, and takes with it the
 * snapshots of units that have no resources any more.
 */
public final class RedisPosition implements PositionStore {
    private static final Logger log = LoggerFactory.getLogger(RedisPosition.class);
    private static final Duration CLAIM_DEADLINE = Duration.ofSeconds(4);

    static final String POSITION = "position";
    static final String UNITS = "units";

    /** The characters that have a meaning in a pattern of Redis. */
    private static final Pattern GLOB = Pattern.compile("[*?\\[\\]\\\\]");

    /**
     * The script of {@link #advance}. It refuses if the stored position is another than the one to start from, or if
     * stored units are missing. From the third on, the keys are the snapshots of units that have no resources any more.
     */
    private static final String ADVANCE = """
            local f = redis.call('HMGET', KEYS[1], 'e', 'r', 'n', 'm')
            local e, r, n, m = tonumber(f[1]), tonumber(f[2]), tonumber(f[3]), f[4]
            local epoch, from, to = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
            if not e or not r or e < epoch or (e == epoch and r < from) then return 'other' end
            if e > epoch or r > to then return string.format('ahead %.0f', r) end
            if (r == from and m ~= ARGV[6]) or (r == to and r ~= from and m ~= ARGV[7]) then return 'other' end
            if redis.call('HLEN', KEYS[2]) ~= n then return 'other' end
            for i = 9, #ARGV, 2 do
              local was, is = tonumber(redis.call('HGET', KEYS[2], ARGV[i])), tonumber(ARGV[i + 1])
              if is == 0 then
                redis.call('HDEL', KEYS[2], ARGV[i])
              elseif not was or was < is then
                redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
              end
            end
            for i = 3, #KEYS do
              local f = redis.pcall('HMGET', KEYS[i], 'e', 'r')
              local se, sr = tonumber(f[1]), tonumber(f[2])
              if not se or not sr or se < epoch or (se == epoch and sr <= to) then redis.call('UNLINK', KEYS[i]) end
            end
            redis.call('HSET', KEYS[1], 'r', ARGV[3], 'h', ARGV[4], 'at', ARGV[5], 'm', ARGV[7], 'a', ARGV[8],
                       'n', redis.call('HLEN', KEYS[2]))
            return 'moved'""";

    private static final String MOVED = "moved";
    private static final String AHEAD = "ahead ";

    /** The number of units that are stored in one call, so that no call holds up Redis. */
    private static final int UNITS_AT_ONCE = 1000;

    /** Stores some units under a key of their own, which vanishes by itself if the last step is not reached. */
    private static final String ADD_UNITS = """
            for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
            redis.call('EXPIRE', KEYS[1], 60)
            return 1""";

    private static final String REPLACE = """
            redis.call('DEL', KEYS[1])
            redis.call('UNLINK', KEYS[2])
            if redis.call('EXISTS', KEYS[3]) == 1 then
              redis.call('RENAME', KEYS[3], KEYS[2])
              redis.call('PERSIST', KEYS[2])
            end
            redis.call('HSET', KEYS[1], 'e', ARGV[1], 'r', ARGV[2], 'h', ARGV[3], 'at', ARGV[4], 'm', ARGV[5],
                       'a', ARGV[6], 'n', redis.call('HLEN', KEYS[2]))
            return 1""";

    /** Deletes snapshots, which are the keys from the third on, of units that have no resources at the stored position. */
    private static final String SWEEP = """
            local at = redis.call('HMGET', KEYS[1], 'e', 'r')
            local e, r = tonumber(at[1]), tonumber(at[2])
            if not e or not r then return 0 end
            local swept = 0
            for i = 3, #KEYS do
              if redis.call('HEXISTS', KEYS[2], ARGV[i - 2]) == 0 then
                local f = redis.pcall('HMGET', KEYS[i], 'e', 'r')
                local se, sr = tonumber(f[1]), tonumber(f[2])
                if not se or not sr or se < e or (se == e and sr <= r) then swept = swept + redis.call('UNLINK', KEYS[i]) end
              end
            end
            return swept""";

    private static final String LOAD = "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}";
    private final Vertx vertx;
    private final RedisServer redis;
    private final SnapshotSeal seal;
    private final InstantSource clock;
    private Future<?> lastReplace = Future.succeededFuture();
    private final AtomicBoolean isSweeping = new AtomicBoolean();
    /** The sum over the units at the last position that this node stored; null if it is not known. */
    private SnapshotSeal.@Nullable UnitSum sum;
    /** The code of that position. */
    private byte[] code = new byte[0];

    private @Nullable Claim claimed;

    public RedisPosition(Vertx vertx, RedisServer redis, InstantSource clock, SnapshotSeal seal) {
        this.vertx = vertx;
        this.redis = redis;
        this.clock = clock;
        this.seal = seal;
    }

    private String snapshot(String unit) {
        return redis.key(SnapshotStore.SNAPSHOT + unit);
    }

    @Override
    public Future<Optional<Kept>> load() {
        if (!redis.isPresent()) {
            return Future.succeededFuture(Optional.empty());
        }
        return redis.patiently(keyed(LOAD))
                .compose(all -> all == null || all.get(0).size() == 0
                        ? Future.succeededFuture(Optional.empty())
                        // checking many units would block an event loop for too long
                        : vertx.executeBlocking(() -> verified(all.get(0), all.get(1)), false));
    }

    /**
     * Returns the position with all of its units; empty if any of it was lost or changed. A position without some of
     * its units would be wrong: the node would take them for empty.
     */
    private Optional<Kept> verified(Response fields, Response units) {
        try {
            Map<String, Response> field = new HashMap<>();
            for (int i = 0; i + 1 < fields.size(); i += 2) {
                field.put(fields.get(i).toString(), fields.get(i + 1));
            }
            Map<String, Long> byUnit = new HashMap<>();
            for (int i = 0; i + 1 < units.size(); i += 2) {
                byUnit.put(units.get(i).toString(), units.get(i + 1).toLong());
            }
            Position position =
                    new Position(known(field, "e").toLong(), known(field, "r").toLong());
            Hash hash = new Hash(known(field, "h").toString());
            long at = known(field, "at").toLong();
            if (seal.verifies(
                    position,
                    hash,
                    byUnit,
                    known(field, "m").toBytes(),
                    at,
                    known(field, "a").toBytes())) {
                return Optional.of(new Kept(position, hash, byUnit, Instant.ofEpochMilli(at)));
            }
        } catch (RuntimeException e) {
            log.debug("redis.unreadable-position cause={}", e.toString());
        }
        seal.refused("redis");
        return Optional.empty();
    }

    private static Response known(Map<String, Response> fields, String name) {
        return Objects.requireNonNull(fields.get(name), name);
    }

    @Override
    public Future<Void> advance(
            Position before, Position after, Hash hash, Map<String, Long> units, Map<String, Long> was) {
        if (!redis.isPresent()) {
            return Future.succeededFuture();
        }
        SnapshotSeal.UnitSum sum = this.sum;
        if (sum == null) {
            return Future.failedFuture("the units in Redis are not known to be complete");
        }
        byte[] from = code;
        units.forEach((unit, revision) -> sum.move(unit, was.getOrDefault(unit, 0L), revision));
        code = seal.code(after, hash, sum);
        long at = clock.millis();
        Request request = Request.cmd(Command.EVAL).arg(ADVANCE);
        List<String> emptied = units.keySet().stream()
                .filter(unit -> units.getOrDefault(unit, 0L) == 0)
                .toList();
        request.arg(2 + emptied.size()).arg(redis.key(POSITION)).arg(redis.key(UNITS));
        emptied.forEach(unit -> request.arg(snapshot(unit)));
        request.arg(after.epoch())
                .arg(before.revision())
                .arg(after.revision())
                .arg(hash.hex())
                .arg(at)
                .arg(Buffer.buffer(from))
                .arg(Buffer.buffer(code))
                .arg(Buffer.buffer(seal.code(code, at)));
        units.forEach((unit, revision) -> request.arg(unit).arg(revision));
        return redis.soon(request).compose(answer -> {
            String told = String.valueOf(answer);
            if (told.equals(MOVED)) {
                claimed = null;
                return Future.succeededFuture();
            }
            return told.startsWith(AHEAD)
                    ? behind(Long.parseLong(told, AHEAD.length(), told.length(), 10), after)
                    : Future.failedFuture("the position in Redis is not " + before);
        });
    }

    /**
     * Handles a stored position that is ahead of this node, because another node was faster. Fails if this node has not
     * reached it after a while: the log has no such position.
     */
    private Future<Void> behind(long stored, Position after) {
        Claim known = claimed;
        long now = System.nanoTime();
        if (known == null || after.revision() >= known.revision()) {
            claimed = new Claim(stored, now);
        } else if (now - known.sinceNanos() > CLAIM_DEADLINE.toNanos()) {
            claimed = null;
            seal.refused("redis");
            return Future.failedFuture("the position in Redis does not exist");
        }
        return Future.succeededFuture();
    }

    /** A revision in Redis that this node has not reached yet, and since when. */
    private record Claim(long revision, long sinceNanos) {}

    @Override
    public Future<Void> replace(Position position, Hash hash, Map<String, Long> units) {
        if (!redis.isPresent()) {
            return Future.succeededFuture();
        }
        sum = null;
        if (!lastReplace.isComplete() || redis.isCut()) {
            return Future.failedFuture("Redis does not answer");
        }
        SnapshotSeal.UnitSum all = seal.sum(units);
        sum = all;
        code = seal.code(position, hash, all);
        long at = clock.millis();
        String fresh = redis.key(UNITS + "." + UUID.randomUUID());
        Request request = Request.cmd(Command.EVAL)
                .arg(REPLACE)
                .arg(3)
                .arg(redis.key(POSITION))
                .arg(redis.key(UNITS))
                .arg(fresh)
                .arg(position.epoch())
                .arg(position.revision())
                .arg(hash.hex())
                .arg(at)
                .arg(Buffer.buffer(code))
                .arg(Buffer.buffer(seal.code(code, at)));
        Future<Void> done = addUnits(fresh, units.entrySet().iterator())
                .compose(v -> redis.patiently(request))
                .mapEmpty();
        lastReplace = done.onFailure(e -> log.debug("redis.units-not-stored cause={}", e.toString()))
                .onSuccess(v -> sweep());
        return done;
    }

    /** Deletes the snapshots of units that were emptied while Redis did not hear of it, unless that is being done. */
    private void sweep() {
        if (isSweeping.compareAndSet(false, true)) {
            sweep("0", 0);
        }
    }

    /** Looks at a page of keys, then at the next one in a task of its own: there may be many pages. */
    private void sweep(String cursor, int before) {
        Request page = Request.cmd(Command.SCAN)
                .arg(cursor)
                .arg("MATCH")
                .arg(GLOB.matcher(snapshot("")).replaceAll("\\\\$0") + "*")
                .arg("COUNT")
                .arg(UNITS_AT_ONCE);
        redis.patiently(page)
                .compose(found -> found == null
                        ? Future.succeededFuture(new Swept("0", 0))
                        : swept(found.get(1)).map(n -> new Swept(found.get(0).toString(), n)))
                .onComplete(done -> {
                    if (done.succeeded() && !done.result().next().equals("0")) {
                        int sum = before + done.result().count();
                        vertx.runOnContext(v -> sweep(done.result().next(), sum));
                        return;
                    }
                    isSweeping.set(false);
                    int sum = before + (done.succeeded() ? done.result().count() : 0);
                    if (done.failed()) {
                        log.debug("redis.not-swept cause={}", done.cause().toString());
                    }
                    if (sum > 0) {
                        log.info("redis.swept snapshots={}", sum);
                    }
                });
    }

    /** The page after one that was looked at, and how many of its keys were deleted. */
    private record Swept(String next, int count) {}

    private Future<Integer> swept(Response keys) {
        if (keys.size() == 0) {
            return Future.succeededFuture(0);
        }
        Request request = Request.cmd(Command.EVAL)
                .arg(SWEEP)
                .arg(2 + keys.size())
                .arg(redis.key(POSITION))
                .arg(redis.key(UNITS));
        keys.forEach(key -> request.arg(key.toString()));
        keys.forEach(key -> request.arg(key.toString().substring(snapshot("").length())));
        return redis.patiently(request).map(n -> n == null ? 0 : n.toInteger());
    }

    private Future<Void> addUnits(String key, Iterator<Map.Entry<String, Long>> units) {
        if (!units.hasNext()) {
            return Future.succeededFuture();
        }
        Request request = Request.cmd(Command.EVAL).arg(ADD_UNITS).arg(1).arg(key);
        for (int i = 0; i < UNITS_AT_ONCE && units.hasNext(); i++) {
            Map.Entry<String, Long> unit = units.next();
            request.arg(unit.getKey()).arg(unit.getValue());
        }
        return redis.patiently(request).compose(v -> addUnits(key, units));
    }

    private Request keyed(String script) {
        return Request.cmd(Command.EVAL)
                .arg(script)
                .arg(2)
                .arg(redis.key(POSITION))
                .arg(redis.key(UNITS));
    }
}
