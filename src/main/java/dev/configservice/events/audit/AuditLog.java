package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Scope;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.LogEntry;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Select;
import dev.configservice.secret.Sealed;
import dev.configservice.secret.Sha256;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The log as an audit trail: each change with the resource before it, and the hash chain of the log. */
public final class AuditLog {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final int PAGE = 500;

    private static final String CHANGES = """
            select c.revision, c.epoch, c.event_id, c.kind, c.action, c.resource_id, c.environment, c.service_name,
                   c.name, c.version, c.fence, c.actor_type, c.actor_id, c.actor, c.request_id, c.comment, c.occurred_at, c.row::text as row, c.sealed,
                   c.hash, b.row::text as before_row, b.sealed as before_sealed, b.revision as before_revision,
                   b.action as before_action
            from changes c
            left join resource_changes b on b.kind = c.kind and b.resource_id = c.resource_id and b.version = c.version - 1""";
    private static final String SECRET_READS = """
            select id, occurred_at, actor_type, actor_id, actor, request_id, resource_id, environment, service_name, name from secret_reads c""";
    private static final String CHAIN = """
            select revision, epoch, event_id, kind, action, resource_id, environment, service_name, name, version,
                   fence, actor_type, actor_id, actor, request_id, comment, occurred_at, row::text as row, null::bytea as sealed, digest, hash
            from changes where revision >= $1 and revision <= $2 and revision > (select anchor_revision from retention)
            order by revision limit $3""";

    /**
     * The last link of the chain before a revision. It is that of a change in the log. If the log holds no change
     * before the revision, it is that of the last change that was dropped, or the start of the chain.
     */
    private static final String LINK_BEFORE = """
            select revision, hash from (
              select anchor_revision as revision, anchor_hash as hash from retention
              union all
              (select revision, hash from changes
               where revision < $1 and revision > (select anchor_revision from retention)
               order by revision desc limit 1)) links
            order by revision desc limit 1""";

    private final Postgres postgres;
    private final ResourceKinds kinds;

    public AuditLog(Postgres postgres, ResourceKinds kinds) {
        this.postgres = postgres;
        this.kinds = kinds;
    }

    /** The filters of a request; null means no filter. Only entries within both scopes are found. */
    record Wanted(
            @Nullable String resourceType,
            @Nullable String resourceId,
            @Nullable String actor,
            @Nullable String actorId,
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable OffsetDateTime since,
            @Nullable OffsetDateTime until,
            Scope environments,
            Scope serviceNames) {}

    /** A change, and the resource before it; null if there was none. */
    record Audited(Change change, @Nullable Resource before) {}

    Future<List<Audited>> changes(Wanted wanted, long below, int limit) {
        Select select = new Select(CHANGES)
                .where("c.revision < ?", below)
                // the log also holds entries of its own, which begin an epoch
                .where("c.kind = any(?)", (Object) kinds.names().toArray(String[]::new))
                .whereGiven("c.kind = ?", wanted.resourceType())
                .whereGiven("c.environment in ('', ?)", wanted.environment());
        if (wanted.serviceName() != null) {
            select.where(
                    "c.service_name = ? or (c.service_name = '' and c.kind = any(?))",
                    wanted.serviceName(),
                    kinds.names(ResourceKind::belongsToService).toArray(String[]::new));
        }
        both(select, wanted, true).orderBy("c.revision desc", limit);
        return postgres.read(select.sql(), select.arguments(), DEADLINE).map(rows -> {
            List<Audited> entries = new ArrayList<>(rows.size());
            for (Row row : rows) {
                entries.add(entry(row));
            }
            return entries;
        });
    }

    /** Adds the filters that apply both to changes and to reads of secrets. */
    private static Select both(Select select, Wanted wanted, boolean orWithoutEnvironment) {
        return select.whereGiven("c.resource_id = ?", wanted.resourceId())
                .whereGiven("c.actor = ?", wanted.actor())
                .whereGiven("c.actor_id = ?", wanted.actorId())
                .whereGiven("c.occurred_at >= ?", wanted.since())
                .whereGiven("c.occurred_at < ?", wanted.until())
                .whereWithin("c.environment", wanted.environments().patterns(), orWithoutEnvironment)
                .whereWithin("c.service_name", wanted.serviceNames().patterns(), true);
    }

    private static Audited entry(Row row) {
        Change change = ChangeLog.toChange(row);
        String before = row.getString("before_row");
        if (before == null || Action.of(row.getString("before_action")).isRemoval()) {
            return new Audited(change, null);
        }
        Resource r = change.resource();
        return new Audited(
                change,
                new Resource(
                        r.kind(),
                        r.id(),
                        r.environment(),
                        r.serviceName(),
                        r.name(),
                        r.version() - 1,
                        row.getLong("before_revision"),
                        0,
                        before,
                        Sealed.of(row.getBuffer("before_sealed"))));
    }

    Future<List<ObjectNode>> secretReads(Wanted wanted, String below, int limit) {
        Select select = new Select(SECRET_READS)
                .whereGiven("id::text < ?", below.isEmpty() ? null : below)
                .whereGiven("c.environment = ?", wanted.environment())
                .whereGiven("c.service_name = ?", wanted.serviceName());
        both(select, wanted, false).orderBy("id desc", limit);
        return postgres.read(select.sql(), select.arguments(), DEADLINE).map(rows -> {
            List<ObjectNode> reads = new ArrayList<>(rows.size());
            for (Row row : rows) {
                ObjectNode o = Json.object();
                o.putNull("revision");
                o.put("event_id", row.getUUID("id").toString());
                o.put("resource_type", "secret_read");
                o.put("resource_id", row.getString("resource_id"));
                o.put("action", "read");
                o.put("environment", row.getString("environment"));
                String service = row.getString("service_name");
                o.put("service_name", service.isEmpty() ? null : service);
                o.set(
                        "actor",
                        Actor.of(row.getString("actor_type"), row.getString("actor_id"), row.getString("actor"))
                                .toJson());
                o.put("request_id", row.getString("request_id"));
                o.putNull("comment");
                o.put(
                        "occurred_at",
                        Json.time(row.getOffsetDateTime("occurred_at").toInstant()));
                o.putNull("before");
                o.putNull("after");
                reads.add(o);
            }
            return reads;
        });
    }

    /** The result of a verification of the hash chain. */
    public record Verification(long from, long to, @Nullable Long firstBreak) {}

    /**
     * Computes every link of the chain between two revisions again. The result starts at the oldest revision that the
     * log still holds, if that is later than {@code from}.
     */
    public Future<Verification> verify(long from, long to) {
        return postgres.read(LINK_BEFORE, Tuple.of(from), DEADLINE).compose(rows -> {
            Row link = rows.iterator().next();
            long start = Math.max(from, link.getLong("revision") + 1);
            return verify(start, start, to, link.getBuffer("hash").getBytes());
        });
    }

    private Future<Verification> verify(long from, long next, long to, byte[] before) {
        return postgres.read(CHAIN, Tuple.of(next, to, PAGE), DEADLINE).compose(rows -> {
            byte[] chain = before;
            long at = next - 1;
            for (Row row : rows) {
                at = row.getLong("revision");
                byte[] hash = row.getBuffer("hash").getBytes();
                if (!Arrays.equals(hash, link(chain, row)) || !digestHolds(row)) {
                    return Future.succeededFuture(new Verification(from, at, at));
                }
                chain = hash;
            }
            return rows.size() < PAGE
                    ? Future.succeededFuture(new Verification(from, Math.max(at, 0), null))
                    : verify(from, at + 1, to, chain);
        });
    }

    private static byte[] link(byte[] before, Row row) {
        MessageDigest sha = Sha256.digest();
        sha.update(before);
        sha.update(ByteBuffer.allocate(8).putLong(row.getLong("revision")).array());
        return sha.digest(row.getBuffer("digest").getBytes());
    }

    private static boolean digestHolds(Row row) {
        if (Change.isOfLog(row.getString("kind"))) {
            return true;
        }
        Change c = ChangeLog.toChange(row);
        byte[] digest = LogEntry.digest(
                c.eventId(), c.action(), c.resource(), c.actor(), c.requestId(), c.comment(), c.occurredAt());
        return row.getBuffer("digest").equals(Buffer.buffer(digest));
    }
}
