package dev.configservice.snapshot;

import dev.configservice.log.Change.Hash;
import dev.configservice.log.Position;
import dev.configservice.log.PositionStore;
import dev.configservice.log.UnitId;
import dev.configservice.settings.RedisAddress;
import dev.configservice.settings.RedisSettings;
import dev.configservice.settings.SettingsException;
import dev.configservice.vertx.Outage;
import io.vertx.circuitbreaker.CircuitBreaker;
import io.vertx.circuitbreaker.CircuitBreakerOptions;
import io.vertx.circuitbreaker.CircuitBreakerState;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import java.util.stream.StreamSupport;
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
    private static final Duration CLAIM_DEADLINE = Duration.ofSeconds(4);

    /** The beginnings of answers that will not change by waiting. */
    private static final Pattern REFUSAL = Pattern.compile("NOAUTH|WRONGPASS|NOPERM|DENIED"
            + "|ERR (invalid password|AUTH|Client sent AUTH|DB index|invalid DB index|unknown command)");

    private static final String POSITION = "position";
    private static final String UNITS = "units";
    private static final String SNAPSHOT = "s:";

    /** The characters that have a meaning in a pattern of Redis. */
    private static final Pattern GLOB = Pattern.compile("[*?\\[\\]\\\\]");

    private static final String NO_EVICTION = "noeviction";

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
    private final SnapshotSeal seal;
    private final @Nullable Redis redis;
    private final CircuitBreaker breaker;
    private final CircuitBreaker startBreaker;
    private final String prefix;
    private final InstantSource clock;
    private Future<?> lastReplace = Future.succeededFuture();
    private final AtomicBoolean isSweeping = new AtomicBoolean();
    /** The sum over the units at the last position that this node stored; null if it is not known. */
    private SnapshotSeal.@Nullable UnitSum sum;
    /** The code of that position. */
    private byte[] code = new byte[0];

    private @Nullable Claim claimed;
    private final Outage outage = new Outage(log, "redis");

    /**
     * Creates a store on a server. With an empty address it keeps nothing.
     *
     * @throws SettingsException if a file of the settings cannot be read
     */
    public SnapshotStore(
            Vertx vertx, RedisSettings settings, String clusterName, InstantSource clock, SnapshotSeal seal) {
        this.vertx = vertx;
        this.seal = seal;
        this.prefix = "cs:{" + clusterName + "}:";
        this.clock = clock;
        this.redis = settings.uri().isEmpty() ? null : Redis.createClient(vertx, options(settings));
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

    private static RedisOptions options(RedisSettings settings) {
        RedisAddress address = RedisAddress.parse(settings.uri());
        RedisOptions options = new RedisOptions()
                .setConnectionString(address.connectionString())
                .setMaxPoolSize(8)
                .setMaxPoolWaiting(2000)
                .setMaxWaitingHandlers(4096);
        if (address.isTls()) {
            NetClientOptions tls = options.getNetClientOptions();
            tls.setHostnameVerificationAlgorithm("HTTPS");
            if (!settings.tlsCa().isEmpty()) {
                tls.setTrustOptions(new PemTrustOptions().addCertValue(file("tls-ca", settings.tlsCa())));
            }
            if (!settings.tlsCertificate().isEmpty()) {
                tls.setKeyCertOptions(new PemKeyCertOptions()
                        .addCertValue(file("tls-certificate", settings.tlsCertificate()))
                        .addKeyValue(file("tls-key", settings.tlsKey())));
            }
        }
        return options;
    }

    private static Buffer file(String setting, String path) {
        try {
            return Buffer.buffer(Files.readAllBytes(Path.of(path)));
        } catch (IOException e) {
            throw new SettingsException("redis." + setting + ": " + path + " (expected: a readable PEM file)");
        }
    }

    /**
     * Checks that the server can do what this store needs. Fails with {@link SettingsException} if it answers and cannot;
     * a server that does not answer now is not judged.
     */
    public Future<Void> check() {
        if (redis == null) {
            return Future.succeededFuture();
        }
        Request eval = Request.cmd(Command.EVAL)
                .arg("return redis.call('EXISTS', KEYS[1])")
                .arg(1)
                .arg(prefix + POSITION);
        return server().compose(server -> server.mode().equals("standalone")
                        ? send(startBreaker, eval).<Void>mapEmpty()
                        : refused("one server, or a proxy that follows the primary; this is Redis in mode "
                                + server.mode() + ", which is not supported"))
                .recover(e -> {
                    String said = String.valueOf(e.getMessage());
                    if (e instanceof SettingsException) {
                        return Future.failedFuture(e);
                    }
                    return REFUSAL.matcher(said).lookingAt()
                            ? refused("a server that lets this user in and run scripts; Redis answered: " + said)
                            : Future.succeededFuture();
                });
    }

    private static Future<Void> refused(String expected) {
        return Future.failedFuture(new SettingsException("redis.uri: (not shown) (expected: " + expected + ")"));
    }

    /**
     * A server as it describes itself.
     *
     * @param mode {@code standalone}, {@code cluster} or {@code sentinel}
     * @param role {@code master} or {@code slave}
     * @param eviction the policy by which it drops keys when its memory is full, as Redis names it
     */
    public record Server(String mode, String role, String eviction) {
        static Server of(String info) {
            Map<String, String> fields = new HashMap<>();
            info.lines().forEach(line -> {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    fields.put(
                            line.substring(0, colon), line.substring(colon + 1).strip());
                }
            });
            boolean isBounded = !fields.getOrDefault("maxmemory", "0").equals("0");
            return new Server(
                    fields.getOrDefault("redis_mode", "standalone"),
                    fields.getOrDefault("role", "master"),
                    isBounded ? fields.getOrDefault("maxmemory_policy", NO_EVICTION) : NO_EVICTION);
        }

        /** Tells whether the server may drop keys when its memory is full. */
        public boolean evicts() {
            return !eviction.equals(NO_EVICTION);
        }

        public boolean isReplica() {
            return role.equals("slave");
        }
    }

    /** Asks the server about itself, for health checks. A server that hides it is taken for one that does not evict. */
    public Future<Server> server() {
        return send(startBreaker, Request.cmd(Command.INFO))
                .map(info -> Server.of(String.valueOf(info)))
                .recover(e -> String.valueOf(e.getMessage()).startsWith("NOPERM")
                        ? ping().map(Server.of(""))
                        : Future.failedFuture(e));
    }

    /** Tells whether a Redis is configured. */
    public boolean isPresent() {
        return redis != null;
    }

    private Future<Void> ping() {
        return send(startBreaker, Request.cmd(Command.PING)).mapEmpty();
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
        Future<@Nullable Response> fields = send(
                breaker,
                Request.cmd(Command.HMGET)
                        .arg(snapshotKey(unit.key()))
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
        return send(breaker, Request.cmd(Command.DEL).arg(snapshotKey(unit.key())))
                .map(done -> null);
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
                .arg(snapshotKey(snapshot.unit().key()))
                .arg(prefix + POSITION)
                .arg(prefix + UNITS)
                .arg(snapshot.asOf().epoch())
                .arg(snapshot.asOf().revision())
                .arg(snapshot.lastChange())
                .arg(Buffer.buffer(sealed.packed))
                .arg(Buffer.buffer(sealed.code))
                .arg(snapshot.unit().key());
        return send(breaker, request)
                .recover(e -> isWrongType(e) ? Future.succeededFuture(null) : Future.failedFuture(e))
                .compose(stored -> stored != null && stored.toInteger() == 1
                        ? Future.succeededFuture()
                        : get(snapshot.unit())
                                .compose(there -> there == null ? send(breaker, request) : Future.succeededFuture()))
                .mapEmpty();
    }

    private String snapshotKey(String unit) {
        return prefix + SNAPSHOT + unit;
    }

    @Override
    public Future<Optional<Kept>> load() {
        if (redis == null) {
            return Future.succeededFuture(Optional.empty());
        }
        return send(startBreaker, keyed(LOAD))
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
        if (redis == null) {
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
        request.arg(2 + emptied.size()).arg(prefix + POSITION).arg(prefix + UNITS);
        emptied.forEach(unit -> request.arg(snapshotKey(unit)));
        request.arg(after.epoch())
                .arg(before.revision())
                .arg(after.revision())
                .arg(hash.hex())
                .arg(at)
                .arg(Buffer.buffer(from))
                .arg(Buffer.buffer(code))
                .arg(Buffer.buffer(seal.code(code, at)));
        units.forEach((unit, revision) -> request.arg(unit).arg(revision));
        return send(breaker, request).compose(answer -> {
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
        if (redis == null) {
            return Future.succeededFuture();
        }
        sum = null;
        if (!lastReplace.isComplete() || breaker.state() == CircuitBreakerState.OPEN) {
            return Future.failedFuture("Redis does not answer");
        }
        SnapshotSeal.UnitSum all = seal.sum(units);
        sum = all;
        code = seal.code(position, hash, all);
        long at = clock.millis();
        String fresh = prefix + "units." + UUID.randomUUID();
        Request request = Request.cmd(Command.EVAL)
                .arg(REPLACE)
                .arg(3)
                .arg(prefix + POSITION)
                .arg(prefix + UNITS)
                .arg(fresh)
                .arg(position.epoch())
                .arg(position.revision())
                .arg(hash.hex())
                .arg(at)
                .arg(Buffer.buffer(code))
                .arg(Buffer.buffer(seal.code(code, at)));
        Future<Void> done = addUnits(fresh, units.entrySet().iterator())
                .compose(v -> send(startBreaker, request))
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
                .arg(GLOB.matcher(snapshotKey("")).replaceAll("\\\\$0") + "*")
                .arg("COUNT")
                .arg(UNITS_AT_ONCE);
        send(startBreaker, page)
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
                .arg(prefix + POSITION)
                .arg(prefix + UNITS);
        keys.forEach(key -> request.arg(key.toString()));
        keys.forEach(key -> request.arg(key.toString().substring(snapshotKey("").length())));
        return send(startBreaker, request).map(n -> n == null ? 0 : n.toInteger());
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
        return send(startBreaker, request).compose(v -> addUnits(key, units));
    }

    private Request keyed(String script) {
        return Request.cmd(Command.EVAL)
                .arg(script)
                .arg(2)
                .arg(prefix + POSITION)
                .arg(prefix + UNITS);
    }

    private Future<@Nullable Response> send(CircuitBreaker with, Request request) {
        Redis client = redis;
        if (client == null) {
            return Future.succeededFuture(null);
        }
        return with.<@Nullable Response>execute(promise -> client.send(request).onComplete(promise))
                .onComplete(done -> {
                    if (done.succeeded()) {
                        outage.succeeded();
                    } else if (breaker.state() == CircuitBreakerState.OPEN) {
                        outage.failed(done.cause());
                    }
                });
    }

    public void close() {
        if (redis != null) {
            redis.close();
        }
        breaker.close();
        startBreaker.close();
    }
}
