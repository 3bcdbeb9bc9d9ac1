package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.Change.Hash;
import dev.configservice.secret.Sha256;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A change that is not in the log yet: the writer computed it from a command.
 *
 * @param expected the version of the resource that the entry was computed from; null for a creation
 * @param resource the state after the change; its revision is not known yet
 * @param judged the unit that the entry was checked against; null if its kind requires no such check
 * @param set its place in a change set; null if it is written alone
 * @param fenced whether the fence must be higher than the current one of the resource
 */
public record LogEntry(
        Op op,
        UUID eventId,
        Action action,
        Resource resource,
        @Nullable Long expected,
        boolean fenced,
        Origin origin,
        Instant occurredAt,
        @Nullable Judged judged,
        @Nullable SetMember set) {

    enum Op {
        CREATE("create"),
        UPDATE("update"),
        DELETE("delete");

        private final String text;

        Op(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /** A unit, and its last revision when an entry was checked against it. */
    record Judged(UnitId unit, long revision) {}

    LogEntry judgedBy(UnitId unit, long revision) {
        return new LogEntry(
                op, eventId, action, resource, expected, fenced, origin, occurredAt, new Judged(unit, revision), set);
    }

    LogEntry in(SetMember member) {
        return new LogEntry(op, eventId, action, resource, expected, fenced, origin, occurredAt, judged, member);
    }

    /** Returns the size of what is stored, in bytes. */
    int bytes() {
        return ByteBufUtil.utf8Bytes(resource.name())
                + ByteBufUtil.utf8Bytes(resource.row().text())
                + resource.sealed().bytes().length;
    }

    byte[] digest() {
        return digest(eventId, action, resource, origin.actor(), origin.requestId(), origin.comment(), occurredAt, set);
    }

    Change toChange(Position position, Hash hash, boolean emptiesUnit) {
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
                hash,
                emptiesUnit,
                set,
                origin.traceParent());
    }

    /**
     * Computes the digest of a change, which the hash chain covers. The revision is not part of it, because the chain
     * adds the revision itself. Nor is the ciphertext, because a value may be sealed again with another key; the row
     * holds a commitment to the value instead.
     */
    public static byte[] digest(
            UUID eventId,
            Action action,
            Resource resource,
            Actor actor,
            @Nullable String requestId,
            @Nullable String comment,
            Instant occurredAt,
            @Nullable SetMember set) {
        ArrayNode covered = Json.object().arrayNode();
        covered.add(eventId.toString())
                .add(action.text())
                .add(resource.kind())
                .add(resource.id())
                .add(resource.environment())
                .add(resource.serviceName())
                .add(resource.name())
                .add(resource.version())
                .add(actor.type().text())
                .add(actor.id())
                .add(actor.name())
                .add(requestId)
                .add(comment)
                .add(Json.time(occurredAt))
                .add(resource.row().text())
                .add(set == null ? null : set.id() + ":" + set.index() + ":" + set.count());
        // as PostgreSQL stores text, in which half of a pair of surrogates is a question mark
        return Sha256.of(Json.write(covered).getBytes(StandardCharsets.UTF_8));
    }
}
