package dev.configservice.credential;

import dev.configservice.access.Actor;
import dev.configservice.access.Authenticator;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Carriers;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sha256;
import dev.configservice.settings.AccessSettings;
import dev.configservice.snapshot.SnapshotCache;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.auth.authentication.TokenCredentials;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The authentication of callers by API keys and tokens. A node that is cut off from the log trusts the keys that it
 * knows for a while ({@code access.max-stale}). After that it cannot know which keys were revoked, and answers every
 * request that has a key with 503.
 */
public final class Credentials implements Authenticator {
    private static final Duration ISSUER_KEYS_EVERY = Duration.ofMinutes(1);
    private static final Pattern SIGNED_TOKEN = Pattern.compile("[^.]+\\.[^.]+\\.[^.]+");
    private static final UnitId KEYS = new UnitId(AccessKey.KIND, "", "");

    private final AccessSettings settings;
    private final SnapshotCache cache;
    private final ChangeFeed feed;
    private final InstantSource clock;
    private final KeyUsage usage;
    private final byte[] adminHash;
    private final @Nullable IssuerKeys issuer;
    private final Caller anonymous;
    private final Caller admin;

    public Credentials(
            Vertx vertx,
            AccessSettings settings,
            SnapshotCache cache,
            ChangeFeed feed,
            KeyUsage usage,
            InstantSource clock,
            MeterRegistry meters) {
        this.settings = settings;
        this.cache = cache;
        this.feed = feed;
        this.usage = usage;
        this.clock = clock;
        this.adminHash = Sha256.hex(settings.adminKey()).getBytes(StandardCharsets.US_ASCII);
        this.issuer =
                settings.jwtIssuer().isEmpty() ? null : new IssuerKeys(vertx, settings, ISSUER_KEYS_EVERY, meters);
        this.anonymous = new Caller(
                null,
                null,
                settings.anonymousReads() ? EnumSet.of(Right.READ) : EnumSet.noneOf(Right.class),
                false,
                Scope.ALL,
                Scope.ALL,
                null);
        this.admin = new Caller(Actor.ADMIN, null, EnumSet.of(Right.ADMIN), false, Scope.ALL, Scope.ALL, null);
    }

    /** Starts to read the keys of the token issuer at intervals. */
    public void start() {
        if (issuer != null) {
            issuer.start();
        }
    }

    @Override
    public Caller anonymous() {
        return anonymous;
    }

    /**
     * Authenticates the caller of a request. Fails with {@link ErrorCode#UNAUTHENTICATED} if the credential is not
     * valid, and with {@link ErrorCode#UNAVAILABLE} if its validity cannot be determined now.
     *
     * @param authorization the {@code Authorization} header; null if there is none
     */
    @Override
    public Future<Caller> authenticate(@Nullable String authorization) {
        if (authorization == null) {
            return Future.succeededFuture(anonymous);
        }
        int space = authorization.indexOf(' ');
        String scheme = space < 0 ? authorization : authorization.substring(0, space);
        String credential = space < 0 ? "" : authorization.substring(space + 1).strip();
        if (scheme.equals(Carriers.KEY_OR_TOKEN)) {
            return credential.startsWith("cs_") || credential.indexOf('.') < 0
                    ? byKey(credential)
                    : byToken(credential);
        }
        if (scheme.equalsIgnoreCase("ApiKey")) {
            return byKey(credential);
        }
        if (scheme.equalsIgnoreCase("Bearer")) {
            return credential.startsWith("cs_") ? byKey(credential) : byToken(credential);
        }
        return refused("Authorization must be ApiKey <key>, Bearer <token> or Basic");
    }

    private Future<Caller> byKey(String key) {
        if (!settings.adminKey().isEmpty()
                && MessageDigest.isEqual(Sha256.hex(key).getBytes(StandardCharsets.US_ASCII), adminHash)) {
            return Future.succeededFuture(admin);
        }
        int second = key.indexOf('_', 3);
        if (!key.startsWith("cs_") || second < 0 || !Ids.isId(key.substring(3, second))) {
            return refused("The key is unknown");
        }
        if (feed.staleness().compareTo(settings.maxStale()) > 0) {
            return Future.failedFuture(cutOff());
        }
        String id = key.substring(3, second);
        String secret = key.substring(second + 1);
        return cache.get(KEYS, 0).compose(snapshot -> {
            AccessKey known = AccessKeys.byId(snapshot.resources(), id);
            Instant now = clock.instant();
            String hash = Sha256.hex(secret);
            if (known == null || !known.accepts(hash, now)) {
                return refused("The key is unknown, revoked, disabled or expired");
            }
            usage.used(id, now);
            return Future.succeededFuture(reading(known.caller(hash)));
        });
    }

    /**
     * Tells whether the key of a caller still opens the service with the same rights. If the rights were edited, the
     * caller must come again. A node that cannot find out answers yes, until it has been cut off for longer than
     * {@code access.max-stale}.
     */
    @Override
    public Future<Boolean> holds(Caller caller) {
        String hash = caller.keyHash();
        if (hash == null) {
            return Future.succeededFuture(true);
        }
        if (feed.staleness().compareTo(settings.maxStale()) > 0) {
            return Future.succeededFuture(false);
        }
        String id = caller.identity().id();
        return cache.get(KEYS, 0)
                .map(s -> {
                    AccessKey known = AccessKeys.byId(s.resources(), id);
                    return known != null
                            && known.accepts(hash, clock.instant())
                            && known.rights().equals(caller.rights())
                            && known.environments().equals(caller.environments())
                            && known.serviceNames().equals(caller.serviceNames());
                })
                .otherwise(true);
    }

    /**
     * Returns the caller that a key stands for without its secret, which must have been seen before.
     *
     * @param wasSeen tells whether the hash of a secret is that of the one that was seen
     */
    Future<Caller> byId(String id, Predicate<String> wasSeen) {
        if (feed.staleness().compareTo(settings.maxStale()) > 0) {
            return Future.failedFuture(cutOff());
        }
        return cache.get(KEYS, 0).compose(snapshot -> {
            AccessKey known = AccessKeys.byId(snapshot.resources(), id);
            Instant now = clock.instant();
            for (String hash : known == null ? List.<String>of() : known.hashes()) {
                if (known != null && known.accepts(hash, now) && wasSeen.test(hash)) {
                    return Future.succeededFuture(known.caller(hash));
                }
            }
            return refused("The key is unknown, revoked, disabled or expired");
        });
    }

    private static ServiceException cutOff() {
        return ServiceException.unavailable(
                "This node is cut off from the log and cannot tell whether the key is still valid");
    }

    private Future<Caller> byToken(String token) {
        if (issuer == null) {
            return refused("This service does not accept tokens (access.jwt-issuer is not set)");
        }
        // reject an unsigned token, which has only two parts, regardless of the keys
        if (!SIGNED_TOKEN.matcher(token).matches()) {
            return refused("The token is not a signed JWT (three dot-separated parts)");
        }
        TokenClaims claims;
        try {
            claims = TokenClaims.of(token);
        } catch (ServiceException e) {
            return Future.failedFuture(e);
        }
        return issuer.auth()
                .authenticate(new TokenCredentials(token))
                .compose(
                        user -> Future.succeededFuture(reading(claims.caller(settings))),
                        e -> refused("The token is not valid: wrong signature, issuer or audience, or expired"));
    }

    /** Reads the keys, as every request with a key does. */
    public Future<?> probe() {
        return cache.get(KEYS, 0);
    }

    /** Lets a caller with a credential read at least everything that an anonymous caller may read. */
    private Caller reading(Caller caller) {
        return settings.anonymousReads() ? caller.withOpenReads() : caller;
    }

    private static <T> Future<T> refused(String why) {
        return Future.failedFuture(new ServiceException(ErrorCode.UNAUTHENTICATED, why));
    }

    /** Returns the longest time for which a node that is cut off from the log trusts the keys that it knows. */
    public Duration maxStale() {
        return settings.maxStale();
    }
}
