package dev.configservice.snapshot;

import dev.configservice.log.ChangeLog;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.UnitId;
import dev.configservice.postgres.Postgres;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A loader that reads from PostgreSQL. One statement reads both a unit and the position of the log, so that the
 * position is exactly the one at which the unit was read.
 */
public final class PostgresLoader implements SnapshotLoader {
    private static final String LOAD = """
            select h.epoch as head_epoch, h.revision as head_revision, coalesce(u.revision, 0) as last_change,
                   r.kind, r.id, r.environment, r.service_name, r.name, r.version, r.revision, r.fence,
                   r.row::text as row, r.sealed
            from head h
            left join units u on u.unit = $4
            left join resources r on r.kind = $1 and r.environment = $2 and r.service_name = $3""";

    private static final String PATH = """
            (select environment, service_name, name, revision from resources where kind = $1 and id = $2)
            union all
            (select environment, service_name, name, revision from resource_changes where kind = $1 and resource_id = $2
             order by version desc limit 1)
            limit 1""";

    private final Postgres postgres;

    public PostgresLoader(Postgres postgres) {
        this.postgres = postgres;
    }

    @Override
    public String name() {
        return "postgres";
    }

    @Override
    public Future<Snapshot> load(UnitId unit, Position need) {
        return postgres.read(LOAD, Tuple.of(unit.kind(), unit.environment(), unit.serviceName(), unit.key()))
                .map(rows -> {
                    List<Resource> resources = new ArrayList<>(rows.size());
                    Position asOf = Position.ZERO;
                    long lastChange = 0;
                    for (Row row : rows) {
                        asOf = new Position(row.getLong("head_epoch"), row.getLong("head_revision"));
                        lastChange = row.getLong("last_change");
                        if (row.getString("id") != null) {
                            resources.add(ChangeLog.toResource(row));
                        }
                    }
                    return Snapshot.of(unit, asOf, lastChange, resources);
                });
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
