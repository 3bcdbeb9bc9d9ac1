package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.secret.ClusterMac;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tokens with which a browser opens a stream of one environment: it can send no header then, and a key in an address
 * would end up in logs. A token names who asked for it, the environment, and when it expires. It is signed with the hash
 * of the caller's secret, so that it ends with the key, or with the secret if that is replaced.
 */
public final class StreamTokens {
    /** A token expires at a multiple of this, the second that follows: for a while, each caller gets the same token. */
    private static final Duration SLOT = Duration.ofHours(12);

    private static final String EXPIRES = "expires";
    private static final String ENVIRONMENT = "environment";

    private final Credentials credentials;
    private final ClusterMac mac;
    private final InstantSource clock;

    public StreamTokens(Credentials credentials, ClusterMac mac, InstantSource clock) {
        this.credentials = credentials;
        this.mac = mac;
        this.clock = clock;
    }

    /**
     * Returns a token for the stream of an environment, valid for 12 to 24 hours and no longer than the caller's
     * credential; null if a stream needs none, because everyone may read.
     */
    public @Nullable String issue(Caller caller, String environment) {
        if (caller.isAnonymous() || credentials.anonymous().has(Right.READ)) {
            return null;
        }
        long slot = SLOT.toSeconds();
        Instant end = Instant.ofEpochSecond((clock.instant().getEpochSecond() / slot + 2) * slot);
        Instant expires = caller.until(end).expiresAt();
        ObjectNode claims = caller.identity().toJson();
        claims.put(ENVIRONMENT, environment);
        claims.put(EXPIRES, (expires == null ? end : expires).getEpochSecond());
        byte[] bytes = Json.bytes(claims);
        Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
        return base64.encodeToString(bytes) + "." + base64.encodeToString(mac.of(bytes, secretOf(caller.keyHash())));
    }

    /**
     * Returns the caller that a token stands for. Fails with {@link ErrorCode#UNAUTHENTICATED} if the token is not valid
     * for the stream of this environment.
     */
    public Future<Caller> caller(String token, String environment) {
        int dot = token.indexOf('.');
        byte[] bytes;
        byte[] code;
        ObjectNode claims;
        Instant expires;
        try {
            Base64.Decoder base64 = Base64.getUrlDecoder();
            bytes = base64.decode(token.substring(0, Math.max(dot, 0)));
            code = base64.decode(token.substring(dot + 1));
            claims = Json.readObject(new String(bytes, StandardCharsets.UTF_8));
            expires = Instant.ofEpochSecond(claims.path(EXPIRES).asLong());
        } catch (RuntimeException e) {
            return refused();
        }
        if (!clock.instant().isBefore(expires)
                || !claims.path(ENVIRONMENT).asText().equals(environment)) {
            return refused();
        }
        if (Actor.Type.API_KEY.text().equals(claims.path("type").asText())) {
            return credentials
                    .byId(claims.path("id").asText(), hash -> mac.verifies(code, bytes, secretOf(hash)))
                    .map(caller -> caller.until(expires));
        }
        if (!mac.verifies(code, bytes, secretOf(null))) {
            return refused();
        }
        return Future.succeededFuture(new Caller(
                Actor.of(claims),
                null,
                EnumSet.of(Right.READ),
                false,
                new Scope(List.of(environment)),
                Scope.ALL,
                expires));
    }

    private static byte[] secretOf(@Nullable String keyHash) {
        return (keyHash == null ? "" : keyHash).getBytes(StandardCharsets.US_ASCII);
    }

    private static Future<Caller> refused() {
        return Future.failedFuture(
                new ServiceException(ErrorCode.UNAUTHENTICATED, "The stream_token is not valid here, or has expired"));
    }
}
