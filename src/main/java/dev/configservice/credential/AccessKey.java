package dev.configservice.credential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.access.Scope;
import dev.configservice.log.Resource;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An API key as it is stored. Only the SHA-256 of its secret is kept. The secret has 256 random bits, so a slow hash is
 * not needed.
 */
record AccessKey(
        String id,
        String name,
        Set<Right> rights,
        Scope environments,
        Scope serviceNames,
        @Nullable Instant expiresAt,
        boolean enabled,
        String hash,
        @Nullable String previousHash,
        @Nullable Instant previousUntil) {

    static final String KIND = "access_key";
    private static final SecureRandom RANDOM = new SecureRandom();

    static AccessKey of(Resource resource) {
        return of(resource.id(), resource.row().fields());
    }

    /** Returns the key as it is after some of its rights, reach and expiry are edited. */
    AccessKey with(ObjectNode edited) {
        return new AccessKey(
                id,
                name,
                edited.has("rights") ? rights(edited) : rights,
                edited.has("environments") ? new Scope(texts(edited.get("environments"))) : environments,
                edited.has("service_names") ? new Scope(texts(edited.get("service_names"))) : serviceNames,
                edited.has("expires_at") ? time(edited.get("expires_at")) : expiresAt,
                enabled,
                hash,
                previousHash,
                previousUntil);
    }

    private static Set<Right> rights(ObjectNode row) {
        Set<Right> rights = EnumSet.noneOf(Right.class);
        row.get("rights").forEach(r -> Right.of(r.textValue()).ifPresent(rights::add));
        return rights;
    }

    private static AccessKey of(String id, ObjectNode row) {
        return new AccessKey(
                id,
                row.get("name").textValue(),
                rights(row),
                new Scope(texts(row.get("environments"))),
                new Scope(texts(row.get("service_names"))),
                time(row.get("expires_at")),
                row.path("enabled").asBoolean(true),
                row.get("hash").textValue(),
                row.path("previous_hash").textValue(),
                time(row.path("previous_until")));
    }

    /** Returns a new secret of 256 random bits. */
    static String newSecret() {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Tells whether the hash of a secret belongs to this key, and the key is valid now. */
    boolean accepts(String secretHash, Instant now) {
        if (!enabled || isExpired(now)) {
            return false;
        }
        byte[] given = secretHash.getBytes(StandardCharsets.US_ASCII);
        boolean current = MessageDigest.isEqual(given, hash.getBytes(StandardCharsets.US_ASCII));
        boolean previous = previousHash != null
                && previousUntil != null
                && now.isBefore(previousUntil)
                && MessageDigest.isEqual(given, previousHash.getBytes(StandardCharsets.US_ASCII));
        return current || previous;
    }

    /** Returns the hashes of its secrets: the current one, and the previous one if there is one. */
    List<String> hashes() {
        return previousHash == null ? List.of(hash) : List.of(hash, previousHash);
    }

    boolean isExpired(Instant now) {
        return expiresAt != null && !now.isBefore(expiresAt);
    }

    /** Returns the caller that presented a secret, whose hash is given. */
    Caller caller(String secretHash) {
        return new Caller(
                new Actor(Actor.Type.API_KEY, id, name),
                secretHash,
                rights,
                false,
                environments,
                serviceNames,
                expiresAt);
    }

    private static List<String> texts(@Nullable JsonNode node) {
        List<String> texts = new ArrayList<>();
        if (node != null) {
            node.forEach(t -> texts.add(t.textValue()));
        }
        return texts;
    }

    private static @Nullable Instant time(@Nullable JsonNode node) {
        return node == null || !node.isTextual() ? null : Instant.parse(node.textValue());
    }
}
