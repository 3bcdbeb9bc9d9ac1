package dev.configservice.snapshot;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.json.Times;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.UnitId;
import dev.configservice.postgres.Postgres;
import dev.configservice.secret.Sealed;
import dev.configservice.vertx.Turns;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads of units as of an earlier revision. What has not changed since is read from the resources of now, the rest from the
 * log and the history. The value of a resource that was encrypted then, or is now, is left out, and the resource counts as
 * encrypted.
 */
public final class PastSnapshots {
    /** The rule for a moment: a revision, or a time. */
    public static final StringRule MOMENT = text ->
            text.matches("\\d{1,18}") || Times.parse(text) != null ? null : "must be a revision or an RFC 3339 time";

    /** The number of requests that read at a time: each may hold what it reads several times, as trees and as text. */
    private static final int AT_ONCE = 2;

    private static final int MAX_WAITING = 200;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int FIRST_ROWS = 16;
    private static final int MAX_ROWS = 1000;
    private static final int BATCH_BYTES = 512 << 10;

    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration AHEAD = Duration.ofSeconds(2);
    /** The value of a secret that nobody is shown. */
    private static final Sealed HIDDEN = Sealed.of(new byte[] {0});

    private static final String AT_REVISION = """
            select h.revision as head, r.anchor_revision as anchor,
                   coalesce((select c.revision + coalesce(c.set_count - 1 - c.set_index, 0)
                             from changes c where c.revision = $1), $1) as at
            from head h cross join retention r""";

    private static final String AT_TIME = """
            select h.revision as head, r.anchor_revision as anchor, revision_before($1) as at
            from head h cross join retention r""";

    /**
     * The resources of a unit, or of all units of an environment: those that have not changed since, and of the others the
     * last state before.
     */
    private static final String RESOURCES = """
            select r.kind, r.id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence, r.row::text as row,
                   r.sealed is not null as hidden, r.sealed
            from resources r
            where r.kind = $1 and r.environment = $2 and ($3::text is null or r.service_name = $3) and r.revision <= $4
            union all
            select x.kind, x.resource_id, x.environment, x.service_name, x.name, x.version, x.revision, x.fence,
                   x.row::text, x.sealed is not null or exists (
                     select from resources n where n.id = x.resource_id and n.kind collate "C" = x.kind
                       and n.sealed is not null), x.sealed
            from (select distinct c.resource_id from changes c
                  where c.revision > $4 and c.environment = $2 and c.kind = $1
                    and ($3::text is null or c.service_name = $3)) t
            cross join lateral (select * from resource_changes c
                                where c.kind = $1 and c.resource_id = t.resource_id and c.revision <= $4
                                order by c.version desc limit 1) x
            where x.action not in ('deleted', 'deregistered')
            limit $5""";

    private final Postgres postgres;
    private final ChangeFeed feed;
    private final InstantSource clock;
    private final Turns turns;
    private final long maxBytes;

    /**
     * Creates the reads of a node.
     *
     * @param postgres the database for reads that may take long
     * @param maxBytes the size of the resources that the reads of one turn may hold
     */
    public PastSnapshots(
            Vertx vertx, Postgres postgres, ChangeFeed feed, InstantSource clock, long maxBytes, MeterRegistry meters) {
        this.postgres = postgres;
        this.feed = feed;
        this.clock = clock;
        this.maxBytes = maxBytes;
        this.turns = new Turns(
                        vertx,
                        AT_ONCE,
                        MAX_WAITING,
                        PATIENCE,
                        "This node is at its limit of reads of the past, retry later")
                .measured("documents", meters);
    }

    /**
     * Does all that a request needs reads for, from the first read until its response is made, when it is its turn: few are
     * made at once, and each holds a bounded number of bytes. Must not be called within a turn.
     */
    public <T> Future<T> inTurn(Function<Reads, Future<T>> work) {
        return turns.take(() -> work.apply(new Reads()));
    }

    /** Does the same with the revision of a moment, which {@link Reads#revision} describes. */
    public <T> Future<T> at(String moment, BiFunction<Reads, Long, Future<T>> work) {
        return arrived(moment)
                .compose(v -> inTurn(reads -> reads.revision(moment).compose(revision -> work.apply(reads, revision))));
    }

    /**
     * Completes when this node has applied the revision of a moment, or fails with {@link ErrorCode#BEHIND}. Whoever names one
     * that is still to come waits here, and takes nobody's turn.
     */
    public Future<Void> arrived(@Nullable String moment) {
        return moment == null || Times.parse(moment) != null
                ? Future.succeededFuture()
                : feed.awaitApplied(Long.parseLong(moment), AHEAD);
    }

    /** The reads of one turn. */
    public final class Reads {
        private long bytes;

        private Reads() {}

        /**
         * Returns the revision of a moment, which {@link #MOMENT} accepts: a revision within a change set means its end, a
         * time the last revision up to it, and null the last that this node has applied. Fails with {@link ErrorCode#GONE}
         * if the log does not reach back that far, with {@link ErrorCode#BEHIND} for a revision that has not been written,
         * and with {@link ErrorCode#INVALID} for a time to come.
         */
        public Future<Long> revision(@Nullable String moment) {
            if (moment == null) {
                return Future.succeededFuture(feed.applied().revision());
            }
            Instant time = Times.parse(moment);
            if (time == null) {
                long revision = Long.parseLong(moment);
                return feed.awaitApplied(revision, AHEAD).compose(v -> resolved(AT_REVISION, Tuple.of(revision)));
            }
            if (time.isAfter(clock.instant())) {
                return Future.failedFuture(ServiceException.invalid("at", "is in the future"));
            }
            // a change of just this time counts
            return resolved(AT_TIME, Tuple.of(time.plus(1, ChronoUnit.MICROS).atOffset(ZoneOffset.UTC)));
        }

        /** Returns a unit as of a revision that {@link #revision} returned. */
        public Future<Snapshot> get(UnitId unit, long revision) {
            return resources(unit.kind(), unit.environment(), unit.serviceName(), revision, Integer.MAX_VALUE)
                    .map(found -> Snapshot.of(unit, new Position(feed.applied().epoch(), revision), revision, found));
        }

        /**
         * Returns the resources of a kind in an environment as of a revision, in no order. Fails with {@link
         * ErrorCode#INVALID} if this turn has read too much.
         *
         * @param serviceName null for those of all services and of none
         * @param limit the largest number of resources; more than that are cut off
         */
        public Future<List<Resource>> resources(
                String kind, String environment, @Nullable String serviceName, long revision, int limit) {
            return scan(kind, environment, serviceName, revision, limit, PastSnapshots::resource);
        }

        /**
         * Does the same, and returns the resources with their secrets. What was encrypted then or is now counts as
         * encrypted: where it has no secret of then, it has none that could be opened.
         */
        public Future<List<Resource>> stored(
                String kind, String environment, @Nullable String serviceName, long revision, int limit) {
            return scan(kind, environment, serviceName, revision, limit, PastSnapshots::withSecret);
        }

        private Future<List<Resource>> scan(
                String kind,
                String environment,
                @Nullable String serviceName,
                long revision,
                int limit,
                Function<Row, Resource> read) {
            List<Resource> found = new ArrayList<>();
            return postgres.scan(
                            RESOURCES,
                            Tuple.of(kind, environment, serviceName, revision, (long) limit),
                            FIRST_ROWS,
                            rows -> {
                                long before = bytes;
                                for (Row row : rows) {
                                    Resource r = read.apply(row);
                                    bytes += r.row().length() + r.sealed().length();
                                    found.add(r);
                                }
                                long each = (bytes - before) / Math.max(1, rows.size());
                                return bytes > maxBytes
                                        ? 0
                                        : (int) Math.max(1, Math.min(MAX_ROWS, BATCH_BYTES / Math.max(1, each)));
                            },
                            DEADLINE)
                    .compose(v -> bytes > maxBytes ? Future.failedFuture(tooMuch()) : Future.succeededFuture(found));
        }
    }

    private ServiceException tooMuch() {
        return ServiceException.invalid(
                "service_name",
                "or environment must select less: more than " + (maxBytes >> 20)
                        + " MiB are too much to be read at once");
    }

    private Future<Long> resolved(String sql, Tuple moment) {
        return postgres.read(sql, moment, DEADLINE).map(rows -> {
            Row row = rows.iterator().next();
            long at = Math.min(row.getLong("at"), row.getLong("head"));
            long anchor = row.getLong("anchor");
            if (at < anchor) {
                throw new ServiceException(
                        ErrorCode.GONE,
                        "The log only reaches back to revision " + anchor,
                        List.of(),
                        Map.of("oldest_revision", anchor));
            }
            return at;
        });
    }

    private static Resource withSecret(Row row) {
        Resource r = resource(row);
        Sealed secret = Sealed.of(row.getBuffer("sealed"));
        return secret.isEmpty()
                ? r
                : new Resource(
                        r.kind(),
                        r.id(),
                        r.environment(),
                        r.serviceName(),
                        r.name(),
                        r.version(),
                        r.revision(),
                        r.fence(),
                        r.row(),
                        secret);
    }

    private static Resource resource(Row row) {
        boolean isHidden = row.getBoolean("hidden");
        String content = row.getString("row");
        return new Resource(
                row.getString("kind"),
                row.getString("id"),
                row.getString("environment"),
                row.getString("service_name"),
                row.getString("name"),
                row.getLong("version"),
                row.getLong("revision"),
                row.getLong("fence"),
                ResourceRow.of(isHidden ? withoutValue(content) : content),
                isHidden ? HIDDEN : Sealed.NONE);
    }

    private static String withoutValue(String row) {
        var fields = Json.readObject(row);
        fields.remove("value");
        return Json.write(fields);
    }
}
