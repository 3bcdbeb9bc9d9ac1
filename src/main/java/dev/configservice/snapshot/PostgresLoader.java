package dev.configservice.snapshot;

import dev.configservice.log.ChangeLog;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.postgres.Postgres;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A loader that reads from PostgreSQL. One statement reads both a unit and the position of the log, so that the
 * position is exactly the one at which the unit was read.
 */
public final class PostgresLoader implements SnapshotLoader {
    private static final String ALL = """
            select h.epoch as head_epoch, h.revision as head_revision, coalesce(u.revision, 0) as last_change,
                   coalesce(u.bytes, 0) as unit_bytes,
                   r.kind, r.id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence,
                   r.row::text as row, r.sealed
            from head h
            left join units u on u.unit = $4
            left join resources r on r.kind = $1 and r.environment = $2 and r.service_name = $3""";

    /** The same without the resources if there is too much of them for one read. */
    private static final String UNLESS_LARGE = ALL + " and coalesce(u.bytes, 0) <= $5";

    private static final long LARGE_BYTES = 512 << 10;
    private static final int BATCH_BYTES = 512 << 10;
    private static final int FIRST_ROWS = 16;
    private static final int MAX_ROWS = 1000;
    private static final Duration BATCH_DEADLINE = Duration.ofSeconds(5);

    private static final String PATH = """
            (select environment, service_name, name, revision from resources where kind = $1 and id = $2)
            union all
            (select environment, service_name, name, revision from resource_changes where kind = $1 and resource_id = $2
             order by version desc limit 1)
            limit 1""";

    private final Postgres postgres;
    private final LargeUnits large;

    public PostgresLoader(Postgres postgres, LargeUnits large) {
        this.postgres = postgres;
        this.large = large;
    }

    @Override
    public String name() {
        return "postgres";
    }

    @Override
    public Future<Snapshot> load(UnitId unit, Position need) {
        return postgres.read(
                        UNLESS_LARGE,
                        Tuple.of(unit.kind(), unit.environment(), unit.serviceName(), unit.key(), LARGE_BYTES))
                .compose(rows -> {
                    long bytes = rows.iterator().next().getLong("unit_bytes");
                    if (bytes > LARGE_BYTES) {
                        return large.run(0, () -> loadInParts(unit));
                    }
                    Loaded loaded = new Loaded();
                    loaded.add(rows);
                    return Future.succeededFuture(loaded.toSnapshot(unit));
                });
    }

    private Future<Snapshot> loadInParts(UnitId unit) {
        Loaded loaded = new Loaded();
        return postgres.scan(
                        ALL,
                        Tuple.of(unit.kind(), unit.environment(), unit.serviceName(), unit.key()),
                        FIRST_ROWS,
                        loaded::add,
                        BATCH_DEADLINE)
                .compose(v -> large.blocking(() -> loaded.toSnapshot(unit)));
    }

    /** The rows of a unit that were read so far. */
    private static final class Loaded {
        private final List<Resource> resources = new ArrayList<>();
        private Position asOf = Position.ZERO;
        private long lastChange;

        /** Adds rows. Returns the number of rows that make a batch of the size that is wanted, if the next are alike. */
        int add(RowSet<Row> rows) {
            long chars = 0;
            for (Row row : rows) {
                asOf = new Position(row.getLong("head_epoch"), row.getLong("head_revision"));
                lastChange = row.getLong("last_change");
                if (row.getString("id") != null) {
                    Resource resource = ChangeLog.toResource(row);
                    resources.add(resource);
                    chars += resource.row().length() + resource.sealed().length();
                }
            }
            long each = Math.max(1, chars / Math.max(1, rows.size()));
            return (int) Math.max(1, Math.min(MAX_ROWS, BATCH_BYTES / each));
        }

        Snapshot toSnapshot(UnitId unit) {
            return Snapshot.of(unit, asOf, lastChange, resources);
        }
    }

    @Override
    public Future<Located> path(String kind, String id) {
        return postgres.read(PATH, Tuple.of(kind, id)).compose(rows -> {
            Iterator<Row> it = rows.iterator();
            if (!it.hasNext()) {
                return Future.failedFuture(Resources.unknown(kind));
            }
            Row row = it.next();
            UnitId unit = new UnitId(kind, row.getString("environment"), row.getString("service_name"));
            return Future.succeededFuture(
                    new Located(new Resources.Path(unit, row.getString("name")), row.getLong("revision")));
        });
    }
}
