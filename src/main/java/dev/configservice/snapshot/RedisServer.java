package dev.configservice.snapshot;

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
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Redis server, of which the cluster uses the keys with a prefix of its own. Each call has a deadline. After several failures a
 * circuit breaker stops calls for a second. Without an address every call answers nothing at once.
 */
public final class RedisServer {
    private static final Logger log = LoggerFactory.getLogger(RedisServer.class);
    private static final Duration DEADLINE = Duration.ofMillis(50);
    private static final Duration PATIENT_DEADLINE = Duration.ofSeconds(2);

    /** The beginnings of answers that will not change by waiting. */
    private static final Pattern REFUSAL = Pattern.compile("NOAUTH|WRONGPASS|NOPERM|DENIED"
            + "|ERR (invalid password|AUTH|Client sent AUTH|DB index|invalid DB index|unknown command)");

    private static final String NO_EVICTION = "noeviction";

    private final @Nullable Redis redis;
    private final CircuitBreaker breaker;
    private final CircuitBreaker patientBreaker;
    private final String prefix;
    private final Outage outage = new Outage(log, "redis");

    /**
     * Creates a client of a server.
     *
     * @throws SettingsException if a file of the settings cannot be read
     */
    public RedisServer(Vertx vertx, RedisSettings settings, String clusterName) {
        this.prefix = "cs:{" + clusterName + "}:";
        this.redis = settings.uri().isEmpty() ? null : Redis.createClient(vertx, options(settings));
        this.breaker = CircuitBreaker.create(
                "redis",
                vertx,
                new CircuitBreakerOptions()
                        .setMaxFailures(5)
                        .setTimeout(DEADLINE.toMillis())
                        .setResetTimeout(1000)
                        .setNotificationAddress(null));
        this.patientBreaker = CircuitBreaker.create(
                "redis-start",
                vertx,
                new CircuitBreakerOptions()
                        .setMaxFailures(1000)
                        .setTimeout(PATIENT_DEADLINE.toMillis())
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
                .arg(key("position"));
        return describe()
                .compose(server -> server.mode().equals("standalone")
                        ? patiently(eval).<Void>mapEmpty()
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
    public record Description(String mode, String role, String eviction) {
        static Description of(String info) {
            Map<String, String> fields = new HashMap<>();
            info.lines().forEach(line -> {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    fields.put(
                            line.substring(0, colon), line.substring(colon + 1).strip());
                }
            });
            boolean isBounded = !fields.getOrDefault("maxmemory", "0").equals("0");
            return new Description(
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
    public Future<Description> describe() {
        return patiently(Request.cmd(Command.INFO))
                .map(info -> Description.of(String.valueOf(info)))
                .recover(e -> String.valueOf(e.getMessage()).startsWith("NOPERM")
                        ? ping().map(Description.of(""))
                        : Future.failedFuture(e));
    }

    /** Tells whether a Redis is configured. */
    public boolean isPresent() {
        return redis != null;
    }

    private Future<Void> ping() {
        return patiently(Request.cmd(Command.PING)).mapEmpty();
    }
    /** Returns a key of this cluster. */
    String key(String name) {
        return prefix + name;
    }

    /** Tells whether calls are stopped for a moment, because several have failed. */
    boolean isCut() {
        return breaker.state() == CircuitBreakerState.OPEN;
    }

    /** Sends a call of a read or a write, which must not wait long. Answers null if no server is configured. */
    Future<@Nullable Response> soon(Request request) {
        return send(breaker, request);
    }

    /** Sends a call that may take longer: of a start, or of much data. Answers null if no server is configured. */
    Future<@Nullable Response> patiently(Request request) {
        return send(patientBreaker, request);
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
        patientBreaker.close();
    }
}
