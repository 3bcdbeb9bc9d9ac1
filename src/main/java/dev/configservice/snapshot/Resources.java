package dev.configservice.snapshot;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.postgres.Postgres;
import dev.configservice.postgres.Rows;
import dev.configservice.postgres.Select;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Access to resources of any kind: by id, in pages, and by version. A resource never changes its path, so the path of
 * an id is remembered without expiry.
 */
public final class Resources {
    /** The columns of a resource in the table {@code resources}. */
    public static final String COLUMNS =
            "r.kind, r.id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence, r.row::text as row, r.sealed";

    /** The columns that identify a resource in a list, and by which it can be sorted. */
    public static final String KEYS =
            "kind as key_kind, id as key_id, environment, service_name, name, revision, bytes";

    /** The last states at paths where nothing is any more, as far as the log holds them. */
    private static final String DELETED = """
            select kind as key_kind, resource_id as key_id, environment, service_name, name, revision, bytes
            from changes d""";

    private static final String DELETED_COLUMNS = """
            r.kind, r.resource_id as id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence,
            r.row::text as row, r.sealed""";

    private static final int CHANGES = 500;
    private static final Duration LIST_DEADLINE = Duration.ofSeconds(5);

    private static final Duration APPLIED_DEADLINE = Duration.ofSeconds(2);

    private final SnapshotCache cache;
    private final SnapshotLoader loader;
    private final ChangeLog changeLog;
    private final Postgres lists;
    private final ChangeFeed feed;
    private final Cache<String, Path> paths =
            Caffeine.newBuilder().maximumSize(200_000).build();

    /**
     * Creates the access of a node.
     *
     * @param lists the database for lists, which may take long
     */
    public Resources(SnapshotCache cache, SnapshotLoader loader, ChangeLog changeLog, Postgres lists, ChangeFeed feed) {
        this.cache = cache;
        this.loader = loader;
        this.changeLog = changeLog;
        this.lists = lists;
        this.feed = feed;
    }

    /** Starts to remember the paths of the resources in applied changes. */
    public void start() {
        feed.addListener(this::remember);
    }

    /** The path of a resource: its unit, and its name there. */
    public record Path(UnitId unit, String name) {}

    /**
     * A resource at its path, and the snapshot that tells so; null if nothing is there, or no longer.
     *
     * @param id the id that was asked for, or that of the resource; empty if a path was asked for, and nothing is there
     */
    public record Found(
            Path path,
            String id,
            Snapshot snapshot,
            @Nullable Resource resource) {
        /** Returns the resource. Fails with {@link ErrorCode#NOT_FOUND} if it does not exist. */
        public Resource present() {
            if (resource == null) {
                throw ServiceException.notFound("The resource does not exist, or was deleted");
            }
            return resource;
        }
    }

    private void remember(Change change) {
        Resource r = change.resource();
        if (change.action().isRemoval()) {
            // few ask for it again, and it would be kept as long as one that exists
            paths.invalidate(r.kind() + "/" + r.id());
            return;
        }
        remember(r.kind() + "/" + r.id(), new Path(r.unit(), r.name()));
    }

    /** Remembers a path. All paths of a unit share one {@link UnitId}, because there are many paths and few units. */
    private void remember(String key, Path path) {
        ChangeFeed.TouchedUnit touched = feed.touched(path.unit());
        paths.put(key, touched == null ? path : new Path(touched.unit(), path.name()));
    }

    /** Finds a resource by id. Fails with {@link ErrorCode#NOT_FOUND} if it never existed. */
    public Future<Found> find(String kind, String id, long minRevision) {
        if (!Ids.isId(id)) {
            return Future.failedFuture(unknown(kind));
        }
        String canonical = id.toLowerCase(java.util.Locale.ROOT);
        return path(kind, canonical)
                .compose(p -> cache.get(p.unit(), minRevision).map(snapshot -> {
                    Resource r = snapshot.resources().byName(p.name());
                    return new Found(p, canonical, snapshot, r != null && r.id().equals(canonical) ? r : null);
                }));
    }

    /** Finds the resource that has a name in a unit. */
    public Future<Found> at(UnitId unit, String name, long minRevision) {
        return cache.get(unit, minRevision).map(snapshot -> {
            Resource r = snapshot.resources().byName(name);
            return new Found(new Path(unit, name), r == null ? "" : r.id(), snapshot, r);
        });
    }

    /** Returns all resources of a unit. */
    public Future<Snapshot> unit(UnitId unit, long minRevision) {
        return cache.get(unit, minRevision);
    }

    /**
     * Completes when this node has applied all that was in the log when this was called. Fails with
     * {@link ErrorCode#BEHIND} at a deadline.
     */
    public Future<Void> awaitLatest() {
        return changeLog.latest().compose(this::awaitApplied);
    }

    /** Completes when this node has applied a revision. Fails with {@link ErrorCode#BEHIND} at a deadline. */
    public Future<Void> awaitApplied(long revision) {
        return feed.awaitApplied(revision, APPLIED_DEADLINE);
    }

    /** Finds the path of the resource with an id. Fails with {@link ErrorCode#NOT_FOUND} if it never existed. */
    public Future<Path> path(String kind, String id) {
        Path known = paths.getIfPresent(kind + "/" + id);
        if (known != null) {
            return Future.succeededFuture(known);
        }
        // another node may have just created the resource: this node must first apply that change, or it would report
        // that the resource does not exist
        return loader.path(kind, id)
                .compose(found ->
                        feed.awaitApplied(found.revision(), APPLIED_DEADLINE).map(found.path()))
                .onSuccess(path -> remember(kind + "/" + id, path));
    }

    /**
     * Returns the id of the resource that has a name, or of the last one that had it and was deleted. Fails with
     * {@link ErrorCode#NOT_FOUND} if there was none.
     */
    public Future<String> lastAt(UnitId unit, String name) {
        return changeLog
                .lastAt(unit, name)
                .map(id -> id.orElseThrow(() ->
                        ServiceException.notFound("There is no " + unit.kind().replace('_', ' ') + " with this name")));
    }

    static ServiceException unknown(String kind) {
        return ServiceException.notFound("There is no " + kind.replace('_', ' ') + " with this id");
    }

    /**
     * Returns the revision of the last change in any unit that a list with these filters can contain. A filter that is
     * null matches every unit.
     */
    public long lastChange(String kind, @Nullable String environment, @Nullable String serviceName) {
        long last = environment != null && serviceName != null
                ? feed.emptySince(new UnitId(kind, environment, serviceName))
                : feed.lastEmptied(kind);
        for (ChangeFeed.TouchedUnit touched : feed.touchedUnits()) {
            UnitId unit = touched.unit();
            if (unit.kind().equals(kind)
                    && (environment == null || environment.equals(unit.environment()))
                    && (serviceName == null || serviceName.equals(unit.serviceName()))) {
                last = Math.max(last, touched.revision());
            }
        }
        return last;
    }

    /** Returns the versions of a resource that are lower than {@code belowVersion}, newest first. */
    public Future<Rows<Change>> history(String kind, String id, long belowVersion, int limit) {
        return changeLog.history(kind, id, belowVersion, limit);
    }

    /** Returns the revision of the first request, as {@link ChangeLog#repeatedOr}. */
    public Future<Long> repeatedOr(Origin origin, Throwable failure) {
        return changeLog.repeatedOr(origin, failure);
    }

    /** Returns the first request with the key of an origin; empty if there was none, or it has no key. */
    public Future<Optional<ChangeLog.Repeated>> repeated(Origin origin) {
        Origin.IdempotencyKey key = origin.idempotencyKey();
        return key == null ? Future.succeededFuture(Optional.empty()) : changeLog.repeated(key);
    }

    /** Returns the last revision that this node has applied. */
    public long applied() {
        return feed.applied().revision();
    }

    /** Returns the first changes after a revision, in order. */
    public Future<List<Change>> changesAfter(long revision) {
        return changeLog.after(revision, CHANGES);
    }

    /** Returns the change with a revision, if the log still holds it. */
    public Future<Optional<Change>> change(long revision) {
        return changeLog.at(revision);
    }

    /** Returns the change that created a version; empty if it does not exist. */
    public Future<Optional<Change>> version(String kind, String id, long version) {
        return changeLog.version(kind, id, version);
    }

    /** Begins a statement for the keys of the resources of a kind, for {@link #list}. */
    public static Select select(String kind) {
        return new Select("select " + KEYS + " from resources").where("kind = ?", kind);
    }

    /** Begins a statement for the last states of deleted resources of a kind, for {@link #listDeleted}. */
    public static Select selectDeleted(String kind) {
        return new Select(DELETED)
                .where("kind = ? and action = 'deleted'", kind)
                .where("""
                        not exists (select from resources r where r.kind = d.kind and r.environment = d.environment
                                    and r.service_name = d.service_name and r.name = d.name)""")
                .where("""
                        not exists (select from changes l where l.kind = d.kind and l.environment = d.environment
                                    and l.service_name = d.service_name and l.name = d.name and l.action = 'deleted'
                                    and l.revision > d.revision)""");
    }

    /** Returns a page of the resources of a statement that {@link #selectDeleted} began. */
    public Future<Rows<Resource>> listDeleted(Select select, String order, int limit) {
        select.orderBy(order, limit + 1).whole(DELETED_COLUMNS, "join changes r on r.revision = q.revision", order);
        return lists.read(select.sql(), select.arguments(), LIST_DEADLINE)
                .map(rows -> Rows.of(rows, limit, ChangeLog::toResource));
    }

    /**
     * Returns a page of the resources of a statement that {@link #select} began.
     *
     * @param order the columns to sort by
     */
    public Future<Rows<Resource>> list(Select select, String order, int limit) {
        return list(select, order, limit, "", (resource, row) -> resource);
    }

    /**
     * Returns a page of the rows of a statement whose columns are {@link #KEYS} and others.
     *
     * @param further the other columns, each after a comma
     * @param read converts a row
     */
    public <T> Future<Rows<T>> list(
            Select select, String order, int limit, String further, BiFunction<Resource, Row, T> read) {
        select.orderBy(order, limit + 1)
                .whole(
                        COLUMNS + further,
                        // the kind is compared in another collation, so that the primary key is used (see
                        // V1__schema.sql)
                        "join resources r on r.id = q.key_id and r.kind collate \"C\" = q.key_kind",
                        order);
        return lists.read(select.sql(), select.arguments(), LIST_DEADLINE)
                .map(rows -> Rows.of(rows, limit, row -> read.apply(ChangeLog.toResource(row), row)));
    }
}
