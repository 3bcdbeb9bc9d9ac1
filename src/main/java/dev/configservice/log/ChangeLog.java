package dev.configservice.log;

import dev.configservice.access.Actor;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Change.Hash;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Rows;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Sealed;
import dev.configservice.secret.Sha256;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The log in PostgreSQL: its SQL statements, and the conversion of rows to values. */
public final class ChangeLog implements PastChanges {
    static final String CHANGE_COLUMNS = """
            revision, epoch, event_id, kind, action, resource_id, environment, service_name, name, version,
            fence, actor_type, actor_id, actor, request_id, comment, occurred_at, row::text as row, sealed, hash, empties_unit,
            set_id, set_index, set_count, trace_parent""";

    /** The maximum size of a page. One with a single change, or with the rest of a change set, may exceed it. */
    private static final int PAGE_BYTES = 2_000_000;

    private static final String FROM = "select " + CHANGE_COLUMNS + """

            from (
              -- only rows that are sent are read whole, and a page never ends within a change set
              select max(q.revision + coalesce(q.set_count - 1 - q.set_index, 0)) as upto
              from (select p.revision, p.set_index, p.set_count,
                           sum(p.bytes) over (order by p.revision) - p.bytes as before
                    from (select revision, bytes, set_index, set_count from changes
                          where revision >= $1 order by revision limit $2) p) q
              where q.before < $3) page
            cross join lateral (select * from changes
                                where revision >= $1 and revision <= page.upto order by revision) c
            order by revision""";

    private static final String HEAD_AND_UNITS = """
            select h.epoch, h.revision, h.hash, a.anchor_revision, u.unit, u.revision as unit_revision
            from head h cross join retention a left join units u on true""";

    private static final String BY_EVENT =
            "select " + CHANGE_COLUMNS + " from changes where revision > $1 and event_id = any($2)";

    private static final String BY_REVISION = "select " + CHANGE_COLUMNS + " from changes where revision = any($1)";

    private static final String OF_RESOURCE = "select " + CHANGE_COLUMNS + """
            , q.found
            from (
              -- only rows that are sent are read whole
              select k.v, k.bytes, sum(k.bytes) over (order by k.v desc) - k.bytes as before, count(*) over () as found
              from (select version as v, bytes from resource_changes
                    where kind = $1 and resource_id = $2 and version < $3 order by version desc limit $4) k) q
            join resource_changes c on c.kind = $1 and c.resource_id = $2 and c.version = q.v
            where q.before < $5 order by q.v desc""";

    private static final String OF_RESOURCE_AT =
            "select " + CHANGE_COLUMNS + " from resource_changes where kind = $1 and resource_id = $2 and version = $3";

    private static final String LAST_AT = """
            select resource_id from resource_changes
            where name = $4 and kind = $1 and environment = $2 and service_name = $3 order by revision desc limit 1""";

    private static final String OF_SET =
            "select " + CHANGE_COLUMNS + " from resource_changes where set_id = $1 order by revision";

    private static final String VERSIONS = """
            select c.* from unnest($1::text[], $2::text[], $3::bigint[]) as want(k, i, v)
            cross join lateral (
              select kind, resource_id as id, environment, service_name, name, version, revision, fence,
                     row::text as row, sealed
              from resource_changes c
              where c.kind = want.k and c.resource_id = want.i and c.version = want.v
                and c.action not in ('deleted', 'deregistered')
              limit 1) c""";

    // Lateral joins, so that each resource is one index lookup: with a plain join, PostgreSQL scans a table that has
    // grown since it was last analyzed. The kind is compared in another collation, so that no index that begins with
    // the kind is used (see V1__schema.sql).

    // What is large stays unread once there is enough: its row is null then.

    private static final String RESOURCES = """
            select r.kind, r.id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence,
                   case when fits then r.row::text end as row, case when fits then r.sealed end as sealed
            from (
              select r.*, sum(r.bytes) over (order by want.ord) - r.bytes < $3 as fits
              from unnest($1::text[], $2::text[]) with ordinality as want(k, i, ord)
              cross join lateral (
                select * from resources r where r.kind collate "C" = want.k and r.id = want.i limit 1) r) r""";

    private static final String LAST_STATES = """
            select c.kind, c.resource_id as id, c.environment, c.service_name, c.name, c.version, c.revision, c.fence,
                   case when fits then c.row::text end as row, case when fits then c.sealed end as sealed
            from (
              select c.*, sum(c.bytes) over (order by want.ord) - c.bytes < $3 as fits
              from unnest($1::text[], $2::text[]) with ordinality as want(k, i, ord)
              cross join lateral (
                select * from resource_changes c where c.kind = want.k and c.resource_id = want.i
                order by version desc limit 1) c) c""";

    private static final String BEGIN_EPOCH = "select now_epoch, now_revision from begin_epoch($1, $2, $3, $4)";

    private static final String OLDEST = """
            select coalesce(min(revision), 0) as oldest from changes
            where revision > (select anchor_revision from retention)""";

    private static final String REPEATED = """
            select revision, set_id, digest from idempotency
            where caller = $1 and key = $2 and at > now() - interval '1 day'""";

    // The head is locked as for a write, so that keys are always taken in one order.
    private static final String KEEP_KEYS = """
            with h as (select revision from head for update),
              given as (
                select g.* from h cross join unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::uuid[])
                  as g(caller, key, digest, revision, set_id))
            insert into idempotency as i (caller, key, digest, revision, set_id, at)
              select g.caller, g.key, g.digest, g.revision, g.set_id, now() from given g
              on conflict (caller, key) do update set
                digest = case when i.at > now() - interval '1 day' then i.digest else excluded.digest end,
                revision = case when i.at > now() - interval '1 day' then i.revision else excluded.revision end,
                set_id = case when i.at > now() - interval '1 day' then i.set_id else excluded.set_id end,
                at = case when i.at > now() - interval '1 day' then i.at else excluded.at end
            returning i.caller, i.key, i.digest, i.revision, i.set_id""";

    private static final String LATEST = "select revision from head";

    private static final Duration SLOW = Duration.ofSeconds(30);

    private final Postgres postgres;
    private final ClusterMac mac;

    /**
     * Creates the log of a database.
     *
     * @param mac the key for digests of requests, which must not tell what a request held
     */
    public ChangeLog(Postgres postgres, ClusterMac mac) {
        this.postgres = postgres;
        this.mac = mac;
    }

    /**
     * The head of the log, the revision up to which the log was dropped ({@code anchor}), and the last revision of
     * every unit, all as of one moment.
     */
    record Head(Position position, Hash hash, long anchor, Map<String, Long> units) {}

    Future<Head> head(PgConnection connection, Duration deadline) {
        return postgres.within(
                deadline,
                connection,
                () -> connection.query(HEAD_AND_UNITS).execute().map(ChangeLog::toHead));
    }

    private static Head toHead(RowSet<Row> rows) {
        Map<String, Long> units = new HashMap<>();
        Row first = rows.iterator().next();
        for (Row row : rows) {
            if (row.getString("unit") != null) {
                units.put(row.getString("unit"), row.getLong("unit_revision"));
            }
        }
        Position position = new Position(first.getLong("epoch"), first.getLong("revision"));
        return new Head(position, Hash.of(first.getBuffer("hash")), first.getLong("anchor_revision"), units);
    }

    /** Returns the changes from a revision on, including that revision, in order. */
    Future<List<Change>> from(PgConnection connection, long revision, int limit, Duration deadline) {
        return postgres.within(
                deadline,
                connection,
                () -> connection
                        .preparedQuery(FROM)
                        .execute(Tuple.of(revision, limit, PAGE_BYTES))
                        .map(ChangeLog::toChanges));
    }

    /** Reads on a connection of the pool, not on that of the feed. */
    @Override
    public Future<List<Change>> after(long revision, int limit) {
        return postgres.read(FROM, Tuple.of(revision + 1, limit, PAGE_BYTES)).map(ChangeLog::toChanges);
    }

    /** Deletes the Idempotency-Keys that are more than a day old. */
    Future<Void> forgetOldKeys() {
        return postgres.read("delete from idempotency where at < now() - interval '25 hours'", Tuple.tuple(), SLOW)
                .mapEmpty();
    }

    /**
     * The first request with an Idempotency-Key.
     *
     * @param revision the revision of its first change; 0 for a change set that changed nothing; for another request that
     *     changed nothing, the last revision of its resource
     * @param set the id of its change set, or of another request that changed nothing; null for one that changed something
     */
    public record Repeated(long revision, @Nullable UUID set) {}

    /**
     * Returns the first request with this Idempotency-Key within the last day; empty if there was none. Fails with
     * {@link ErrorCode#IDEMPOTENCY_KEY_REUSED} if the key was used for another request.
     */
    public Future<Optional<Repeated>> repeated(IdempotencyKey key) {
        return postgres.read(REPEATED, Tuple.of(key.caller(), key.key())).compose(rows -> {
            Iterator<Row> it = rows.iterator();
            if (!it.hasNext()) {
                return Future.succeededFuture(Optional.empty());
            }
            Row row = it.next();
            return isOf(key, row)
                    ? Future.succeededFuture(Optional.of(new Repeated(row.getLong("revision"), row.getUUID("set_id"))))
                    : Future.failedFuture(ServiceException.keyReused());
        });
    }

    private boolean isOf(IdempotencyKey key, Row row) {
        return Arrays.equals(row.getBuffer("digest").getBytes(), ApplyBatch.digest(mac, key));
    }

    /**
     * Keeps the key of a change set that has nothing to change. Completes with what is known of the first request with the
     * key, which may be another one than this. Fails with {@link ErrorCode#IDEMPOTENCY_KEY_REUSED} if the key was used for
     * another request.
     */
    public Future<Repeated> keepKey(IdempotencyKey key, UUID set) {
        List<Unchanged> request = List.of(new Unchanged(key, new Repeated(0, set)));
        return postgres.read(KEEP_KEYS, keptKeys(request))
                .map(rows -> known(request, rows).getOrDefault(key, Optional.empty()))
                .compose(first -> first.map(Future::succeededFuture)
                        .orElseGet(() -> Future.failedFuture(ServiceException.keyReused())));
    }

    /** A request with an Idempotency-Key that changes nothing, and what a repeated one is to be answered with. */
    record Unchanged(IdempotencyKey key, Repeated answer) {}

    /**
     * Keeps the keys of requests that change nothing, no two of them equal, and makes this durable. Returns for each what
     * is known of the first request with its key, which may be another one than this; empty if the key was used for another
     * request.
     */
    Future<Map<IdempotencyKey, Optional<Repeated>>> keepKeys(
            SqlConnection connection, List<Unchanged> requests, Duration deadline) {
        return postgres.within(
                deadline,
                connection,
                () -> connection
                        .preparedQuery(KEEP_KEYS)
                        .execute(keptKeys(requests))
                        .map(rows -> known(requests, rows)));
    }

    private Tuple keptKeys(List<Unchanged> requests) {
        return Tuple.tuple()
                .addArrayOfString(requests.stream().map(r -> r.key().caller()).toArray(String[]::new))
                .addArrayOfString(requests.stream().map(r -> r.key().key()).toArray(String[]::new))
                .addArrayOfBuffer(requests.stream()
                        .map(r -> Buffer.buffer(ApplyBatch.digest(mac, r.key())))
                        .toArray(Buffer[]::new))
                .addArrayOfLong(
                        requests.stream().map(r -> r.answer().revision()).toArray(Long[]::new))
                .addArrayOfUUID(requests.stream().map(r -> r.answer().set()).toArray(UUID[]::new));
    }

    private Map<IdempotencyKey, Optional<Repeated>> known(List<Unchanged> requests, RowSet<Row> rows) {
        Map<IdempotencyKey, Optional<Repeated>> known = new HashMap<>();
        for (Row row : rows) {
            for (Unchanged r : requests) {
                if (r.key().caller().equals(row.getString("caller"))
                        && r.key().key().equals(row.getString("key"))) {
                    known.put(
                            r.key(),
                            isOf(r.key(), row)
                                    ? Optional.of(new Repeated(row.getLong("revision"), row.getUUID("set_id")))
                                    : Optional.empty());
                }
            }
        }
        return known;
    }

    /**
     * Returns the revision of the first request with the key of an origin, for a request that failed because the first
     * one was done. Fails with {@code failure} if there was none, or if the failure has another reason.
     */
    public Future<Long> repeatedOr(Origin origin, Throwable failure) {
        IdempotencyKey key = origin.idempotencyKey();
        boolean mayBeRepeated = failure instanceof ServiceException e
                && (e.code() == ErrorCode.NOT_FOUND || e.code() == ErrorCode.CONFLICT);
        if (key == null || !mayBeRepeated) {
            return Future.failedFuture(failure);
        }
        return repeated(key)
                .compose(first -> first.map(r -> Future.succeededFuture(r.revision()))
                        .orElseGet(() -> Future.failedFuture(failure)));
    }

    /** Returns the last revision. */
    public Future<Long> latest() {
        return postgres.read(LATEST, Tuple.tuple())
                .map(rows -> rows.iterator().next().getLong("revision"));
    }

    @Override
    public Future<Long> oldest() {
        return postgres.read(OLDEST, Tuple.tuple())
                .map(rows -> rows.iterator().next().getLong("oldest"));
    }

    /** Returns the changes after a revision that have one of the given event ids. */
    Future<List<Change>> byEvents(SqlConnection connection, long after, List<UUID> ids, Duration deadline) {
        Tuple ask = Tuple.of(after).addArrayOfUUID(ids.toArray(UUID[]::new));
        return postgres.within(
                deadline,
                connection,
                () -> connection.preparedQuery(BY_EVENT).execute(ask).map(ChangeLog::toChanges));
    }

    Future<List<Change>> byRevisions(SqlConnection connection, List<Long> revisions, Duration deadline) {
        Tuple ask = Tuple.tuple().addArrayOfLong(revisions.toArray(Long[]::new));
        return postgres.within(
                deadline,
                connection,
                () -> connection.preparedQuery(BY_REVISION).execute(ask).map(ChangeLog::toChanges));
    }

    /** Returns a page of the changes of a resource before a version, newest first. */
    public Future<Rows<Change>> history(String kind, String id, long belowVersion, int limit) {
        return postgres.read(OF_RESOURCE, Tuple.of(kind, id, belowVersion, limit + 1, PAGE_BYTES))
                .map(rows -> Rows.of(rows, limit, ChangeLog::toChange));
    }

    /** Returns the change that led to a version of a resource. */
    public Future<Optional<Change>> version(String kind, String id, long version) {
        return postgres.read(OF_RESOURCE_AT, Tuple.of(kind, id, version))
                .map(rows -> toChanges(rows).stream().findFirst());
    }

    /** Returns the change with a revision, if the log still holds it. */
    public Future<Optional<Change>> at(long revision) {
        return postgres.read(BY_REVISION, Tuple.tuple().addArrayOfLong(new Long[] {revision}))
                .map(rows -> toChanges(rows).stream().findFirst());
    }

    /** Returns the id of the resource that has a name in a unit, or of the last one that had it. */
    public Future<Optional<String>> lastAt(UnitId unit, String name) {
        return postgres.read(LAST_AT, Tuple.of(unit.kind(), unit.environment(), unit.serviceName(), name))
                .map(rows -> {
                    Iterator<Row> it = rows.iterator();
                    return it.hasNext() ? Optional.of(it.next().getString("resource_id")) : Optional.empty();
                });
    }

    /** Returns the changes of a set, in order, as far as they are still kept. */
    public Future<List<Change>> ofSet(UUID set) {
        return postgres.read(OF_SET, Tuple.of(set)).map(ChangeLog::toChanges);
    }

    /**
     * Returns the resources as they were before changes, by the keys that {@link #key} makes. Those that did not exist then,
     * or had been deleted, are missing.
     */
    public Future<Map<String, Resource>> before(List<Change> changes) {
        List<Resource> after = changes.stream().map(Change::resource).toList();
        Tuple ask = Tuple.tuple()
                .addArrayOfString(after.stream().map(Resource::kind).toArray(String[]::new))
                .addArrayOfString(after.stream().map(Resource::id).toArray(String[]::new))
                .addArrayOfLong(after.stream().map(r -> r.version() - 1).toArray(Long[]::new));
        return postgres.read(VERSIONS, ask).map(rows -> {
            Map<String, Resource> found = new HashMap<>();
            for (Row row : rows) {
                Resource r = toResource(row);
                found.put(key(r.kind(), r.id()), r);
            }
            return found;
        });
    }

    /**
     * The resources of some commands, as far as they exist, by the keys that {@link #key} makes.
     *
     * @param unread the keys of those that were left out, because others are large
     */
    record Stored(Map<String, Resource> resources, Set<String> unread) {
        static final Stored NOTHING = new Stored(Map.of(), Set.of());
    }

    /** Returns the resources of commands. */
    Future<Stored> resources(SqlConnection connection, List<Command> commands, Duration deadline) {
        return stored(connection, RESOURCES, commands, deadline);
    }

    /** Returns the last states of the resources of commands, including those of deleted resources. */
    Future<Stored> lastStates(SqlConnection connection, List<Command> commands, Duration deadline) {
        return stored(connection, LAST_STATES, commands, deadline);
    }

    private Future<Stored> stored(SqlConnection connection, String sql, List<Command> commands, Duration deadline) {
        return postgres.within(
                deadline,
                connection,
                () -> connection
                        .preparedQuery(sql)
                        .execute(keys(commands).addLong((long) SetMember.MAX_STORED_CHARS))
                        .map(rows -> {
                            Map<String, Resource> found = new HashMap<>();
                            Set<String> unread = new HashSet<>();
                            for (Row row : rows) {
                                if (row.getString("row") == null) {
                                    unread.add(key(row.getString("kind"), row.getString("id")));
                                } else {
                                    Resource r = toResource(row);
                                    found.put(key(r.kind(), r.id()), r);
                                }
                            }
                            return new Stored(found, unread);
                        }));
    }

    private static Tuple keys(List<Command> commands) {
        return Tuple.tuple()
                .addArrayOfString(commands.stream().map(Command::kind).toArray(String[]::new))
                .addArrayOfString(commands.stream().map(Command::id).toArray(String[]::new));
    }

    /** Returns the key of a resource in a map of several kinds. */
    public static String key(String kind, String id) {
        return kind + "/" + id;
    }

    /**
     * Applies entries in one call, which is one transaction. Returns a result for each entry, in the same order.
     *
     * @param set the id of the change set that the entries are, all or none of which are applied; null if there is none
     * @param isDry whether nothing is applied, and the results only say what would be
     */
    Future<List<ApplyBatch.Result>> apply(
            SqlConnection connection,
            Position known,
            Hash hash,
            List<LogEntry> entries,
            @Nullable UUID set,
            boolean isDry,
            ResourceKinds kinds,
            Duration deadline) {
        Tuple arguments = ApplyBatch.arguments(known, hash, entries, set, isDry, kinds, mac);
        return postgres.within(
                deadline,
                connection,
                () -> connection
                        .preparedQuery(ApplyBatch.SQL)
                        .execute(arguments)
                        .map(ApplyBatch::results));
    }

    /** Begins a new epoch unless another node has already done so. Returns the position after it. */
    Future<Position> beginEpoch(PgConnection connection, Position seen, UUID eventId, Duration deadline) {
        Tuple arguments = Tuple.of(
                seen.epoch(),
                seen.revision(),
                eventId,
                Buffer.buffer(Sha256.of(eventId.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8))));
        return postgres.within(
                deadline,
                connection,
                () -> connection.preparedQuery(BEGIN_EPOCH).execute(arguments).map(rows -> {
                    Row row = rows.iterator().next();
                    return new Position(row.getLong("now_epoch"), row.getLong("now_revision"));
                }));
    }

    /** Converts a row with the columns of the table {@code resources}. */
    public static Resource toResource(Row row) {
        return new Resource(
                row.getString("kind"),
                row.getString("id"),
                row.getString("environment"),
                row.getString("service_name"),
                row.getString("name"),
                row.getLong("version"),
                row.getLong("revision"),
                row.getLong("fence"),
                ResourceRow.of(row.getString("row")),
                Sealed.of(row.getBuffer("sealed")));
    }

    static List<Change> toChanges(RowSet<Row> rows) {
        List<Change> changes = new ArrayList<>(rows.size());
        for (Row row : rows) {
            changes.add(toChange(row));
        }
        return changes;
    }

    private static @Nullable SetMember set(Row row) {
        UUID id = row.getUUID("set_id");
        return id == null ? null : new SetMember(id, row.getInteger("set_index"), row.getInteger("set_count"));
    }

    public static Change toChange(Row row) {
        Resource resource = new Resource(
                row.getString("kind"),
                row.getString("resource_id"),
                row.getString("environment"),
                row.getString("service_name"),
                row.getString("name"),
                row.getLong("version"),
                row.getLong("revision"),
                row.getLong("fence"),
                ResourceRow.of(row.getString("row")),
                Sealed.of(row.getBuffer("sealed")));
        OffsetDateTime at = row.getOffsetDateTime("occurred_at");
        return new Change(
                new Position(row.getLong("epoch"), row.getLong("revision")),
                row.getUUID("event_id"),
                Action.of(row.getString("action")),
                resource,
                Actor.of(row.getString("actor_type"), row.getString("actor_id"), row.getString("actor")),
                row.getString("request_id"),
                row.getString("comment"),
                at.toInstant(),
                Hash.of(row.getBuffer("hash")),
                row.getBoolean("empties_unit"),
                set(row),
                row.getString("trace_parent"));
    }
}
