package dev.configservice.change;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.change.Change.Hash;
import dev.configservice.json.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A change on its way into the log: what the writer worked out from a command.
 *
 * @param expected the version that it was worked out from; null of a creation
 * @param resource the state after it; its revision is not known yet
 * @param fenced whether the resource's fence must be above the one that stands
 */
record Entry(
        Op op,
        UUID eventId,
        Action action,
        Resource resource,
        @Nullable Long expected,
        boolean fenced,
        Origin origin,
        Instant occurredAt) {

    enum Op {
        CREATE,
        UPDATE,
        DELETE
    }

    /** As the function {@code apply_commands} takes it. */
    ObjectNode toJson() {
        ObjectNode o = Json.object();
        o.put("op", op.name().toLowerCase(java.util.Locale.ROOT));
        o.put("event_id", eventId.toString());
        o.put("kind", resource.kind());
        o.put("id", resource.id());
        o.put("action", action.text());
        o.put("environment", resource.environment());
        o.put("service_name", resource.serviceName());
        o.put("name", resource.name());
        o.put("expected", expected);
        o.put("version", resource.version());
        if (fenced) {
            o.put("fence", resource.fence());
        }
        o.put("stands", resource.fence());
        o.put("actor", origin.actor());
        o.put("request_id", origin.requestId());
        o.put("comment", origin.comment());
        o.put("occurred_at", Json.time(occurredAt));
        o.putRawValue("row", new com.fasterxml.jackson.databind.util.RawValue(resource.row()));
        o.put("sealed", resource.sealed().hex());
        o.put("digest", HexFormat.of().formatHex(digest()));
        if (origin.idempotencyKey() != null) {
            o.put("idempotency_caller", origin.idempotencyKey().caller());
            o.put("idempotency_key", origin.idempotencyKey().key());
            o.put("idempotency_digest", origin.idempotencyKey().digestHex());
        }
        return o;
    }

    private byte[] digest() {
        return digest(eventId, action, resource, origin.actor(), origin.requestId(), origin.comment(), occurredAt);
    }

    Change toChange(Position position, Hash hash) {
        Resource r = resource;
        return new Change(
                position,
                eventId,
                action,
                new Resource(
                        r.kind(),
                        r.id(),
                        r.environment(),
                        r.serviceName(),
                        r.name(),
                        r.version(),
                        position.revision(),
                        r.fence(),
                        r.row(),
                        r.sealed()),
                origin.actor(),
                origin.requestId(),
                origin.comment(),
                occurredAt,
                hash);
    }

    /**
     * What the chain of hashes covers of a change: everything but the revision (which the chain adds) and the
     * ciphertext (which may be sealed again; the row holds a commitment to what is in it).
     */
    static byte[] digest(
            UUID eventId,
            Action action,
            Resource resource,
            @Nullable String actor,
            @Nullable String requestId,
            @Nullable String comment,
            Instant occurredAt) {
        ArrayNode covered = Json.object().arrayNode();
        covered.add(eventId.toString())
                .add(action.text())
                .add(resource.kind())
                .add(resource.id())
                .add(resource.environment())
                .add(resource.serviceName())
                .add(resource.name())
                .add(resource.version())
                .add(actor)
                .add(requestId)
                .add(comment)
                .add(Json.time(occurredAt))
                .add(resource.row());
        return sha256().digest(Json.write(covered).getBytes(StandardCharsets.UTF_8));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
