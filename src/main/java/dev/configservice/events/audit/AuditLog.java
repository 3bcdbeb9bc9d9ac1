package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.access.Scope;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;
import dev.configservice.log.ResourceRow;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Rows;
import dev.configservice.postgres.Select;
import dev.configservice.secret.Sealed;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The log as an audit trail: each change with the resource before it; and reads of secrets and refused attempts. */
public final class AuditLog {
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private static final String KEYS = "select c.revision, c.bytes from changes c";

    /** The same for changes of an environment, and of what has none: each is read newest first. */
    private static final String KEYS_OF_ENVIRONMENT = """
            select x.revision, x.bytes from unnest(array['', ?]::text[]) as e(wanted)
            cross join lateral (select c.revision, c.bytes from changes c""";

    private static final String COLUMNS = """
            c.revision, c.epoch, c.event_id, c.kind, c.action, c.resource_id, c.environment, c.service_name,
            c.name, c.version, c.fence, c.actor_type, c.actor_id, c.actor, c.request_id, c.comment, c.occurred_at,
            c.row::text as row, c.sealed, c.hash, c.empties_unit, c.set_id, c.set_index,
            c.set_count, c.trace_parent, b.row::text as before_row, b.sealed as before_sealed,
            b.revision as before_revision, b.action as before_action""";
    private static final String ROWS = """
            join changes c on c.revision = q.revision
            left join lateral (select * from resource_changes b
                               where b.kind = c.kind and b.resource_id = c.resource_id and b.version = c.version - 1
                               limit 1) b on true""";

    private static final String AFTER = "c.revision > (select revision_before(?))";
    private static final String BEFORE = "c.revision <= (select revision_before(?))";

    private static final String SECRET_READS = """
            select id, occurred_at, actor_type, actor_id, actor, request_id, resource_id, environment, service_name, name from secret_reads c""";
    private static final String ACCESS_DENIALS = """
            select id, occurred_at, actor_type, actor_id, actor, address, status, detail, attempts
            from access_denials c""";

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
            @Nullable String key,
            @Nullable String actor,
            @Nullable String actorId,
            @Nullable String environment,
            @Nullable String serviceName,
            @Nullable OffsetDateTime since,
            @Nullable OffsetDateTime until,
            Scope environments,
            Scope serviceNames) {
        /** Tells whether only what belongs to some environments or services is wanted. */
        boolean isLimited() {
            return environment != null || serviceName != null || !environments.isAll() || !serviceNames.isAll();
        }
    }

    /** A change, and the resource before it; null if there was none. */
    record Audited(Change change, @Nullable Resource before) {}

    /** Returns a page of changes below a revision, newest first. */
    Future<Rows<Audited>> changes(Wanted wanted, long below, int limit) {
        Select select = wanted.environment() == null
                ? new Select(KEYS)
                : new Select(KEYS_OF_ENVIRONMENT, wanted.environment()).where("c.environment = e.wanted");
        select.where("c.revision < ?", below)
                // the log also holds entries of its own, which begin an epoch
                .where("c.kind = any(?)", (Object) kinds.names().toArray(String[]::new))
                .whereGiven("c.kind = ?", wanted.resourceType())
                .whereGiven(AFTER, wanted.since())
                .whereGiven(BEFORE, wanted.until());
        if (wanted.isLimited()) {
            // keys, templates and schemas belong to no environment and no service
            select.where("c.kind = any(?)", (Object)
                    kinds.names(kind -> kind.isPublic() && !kind.isGlobal()).toArray(String[]::new));
        }
        if (wanted.serviceName() != null) {
            select.where(
                    "c.service_name = ? or (c.service_name = '' and c.kind = any(?))",
                    wanted.serviceName(),
                    kinds.names(ResourceKind::belongsToService).toArray(String[]::new));
        }
        both(select, wanted, true).orderBy(order(wanted), limit + 1);
        if (wanted.environment() != null) {
            select.end(") x order by x.revision desc limit ?", limit + 1);
        }
        select.whole(COLUMNS, ROWS, "revision desc");
        return postgres.read(select.sql(), select.arguments(), DEADLINE)
                .map(rows -> Rows.of(rows, limit, AuditLog::entry));
    }

    /**
     * Returns the order of changes, newest first. A column that has one value anyway comes before: so the index that
     * begins with it is used, and not the one of all revisions, in which there may be few that match.
     */
    private static String order(Wanted wanted) {
        String first = wanted.key() != null
                ? "c.name desc, "
                : wanted.actorId() != null
                        ? "c.actor_id desc, "
                        : wanted.actor() != null
                                ? "c.actor desc, "
                                : wanted.environment() != null ? "c.environment desc, " : "";
        return first + "c.revision desc";
    }

    /** Adds the filters that apply both to changes and to reads of secrets. */
    private static Select both(Select select, Wanted wanted, boolean orWithoutEnvironment) {
        return select.whereGiven("c.resource_id = ?", wanted.resourceId())
                .whereGiven("c.name = ?", wanted.key())
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
                        ResourceRow.of(before),
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
                ObjectNode o = entry(row, "secret_read", row.getString("resource_id"), "read");
                o.put("environment", row.getString("environment"));
                String service = row.getString("service_name");
                o.put("service_name", service.isEmpty() ? null : service);
                o.put("request_id", row.getString("request_id"));
                reads.add(o);
            }
            return reads;
        });
    }

    /** Returns refused attempts, newest first. They belong to no environment and no service. */
    Future<List<ObjectNode>> accessDenials(Wanted wanted, String below, int limit) {
        if (wanted.isLimited() || wanted.resourceId() != null || wanted.key() != null) {
            return Future.succeededFuture(List.of());
        }
        Select select = new Select(ACCESS_DENIALS)
                .whereGiven("c.id < ?::uuid", below.isEmpty() ? null : below)
                .whereGiven("c.actor = ?", wanted.actor())
                .whereGiven("c.actor_id = ?", wanted.actorId())
                .whereGiven("c.occurred_at >= ?", wanted.since())
                .whereGiven("c.occurred_at < ?", wanted.until())
                .orderBy("c.id desc", limit);
        return postgres.read(select.sql(), select.arguments(), DEADLINE).map(rows -> {
            List<ObjectNode> denials = new ArrayList<>(rows.size());
            for (Row row : rows) {
                ObjectNode o = entry(row, "access_denied", row.getString("address"), "denied");
                o.putObject("after")
                        .put("address", row.getString("address"))
                        .put("status", row.getInteger("status"))
                        .put("detail", row.getString("detail"))
                        .put("attempts", row.getLong("attempts"));
                denials.add(o);
            }
            return denials;
        });
    }

    /** Renders what is no change, with every member of an entry. Those that it does not have are null. */
    private static ObjectNode entry(Row row, String resourceType, String resourceId, String action) {
        ObjectNode o = Json.object();
        o.putNull("revision");
        o.put("event_id", row.getUUID("id").toString());
        o.put("resource_type", resourceType);
        o.put("resource_id", resourceId);
        o.put("action", action);
        o.putNull("environment");
        o.putNull("service_name");
        String type = row.getString("actor_type");
        o.set(
                "actor",
                type == null
                        ? null
                        : Actor.of(type, row.getString("actor_id"), row.getString("actor"))
                                .toJson());
        o.putNull("request_id");
        o.putNull("comment");
        o.put("occurred_at", Json.time(row.getOffsetDateTime("occurred_at").toInstant()));
        o.putNull("change_set");
        o.putNull("before");
        o.putNull("after");
        return o;
    }
}
