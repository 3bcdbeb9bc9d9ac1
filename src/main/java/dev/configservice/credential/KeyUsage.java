package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.json.Json;
import dev.configservice.postgres.Postgres;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When keys were last used: gathered in memory, written once in a while, not a change. At most as many as keys are. */
public final class KeyUsage {
    private static final Logger log = LoggerFactory.getLogger(KeyUsage.class);
    private static final long EVERY_MILLIS = 5000;
    private static final String WRITE = """
            insert into key_usage (id, last_used_at)
            select * from json_to_recordset($1::text::json) as r(id text, last_used_at timestamptz)
            on conflict (id) do update set last_used_at = greatest(key_usage.last_used_at, excluded.last_used_at)""";
    private static final String READ = "select id, last_used_at from key_usage";

    private final Postgres postgres;
    private final Function<String, Future<Void>> store;
    private final Map<String, Instant> used = new ConcurrentHashMap<>();

    /**
     * @param store writes a batch, as JSON: {@link #in}, or a core node that does
     */
    public KeyUsage(Vertx vertx, Postgres postgres, Function<String, Future<Void>> store) {
        this.postgres = postgres;
        this.store = store;
        vertx.setPeriodic(EVERY_MILLIS, t -> write());
    }

    /** Writes batches to the database. */
    public static Function<String, Future<Void>> in(Postgres postgres) {
        return rows -> postgres.read(WRITE, Tuple.of(rows)).mapEmpty();
    }

    void used(String id, Instant at) {
        used.put(id, at);
    }

    /** Writes what was gathered; what cannot be written now is written with the next. */
    Future<Void> write() {
        if (used.isEmpty()) {
            return Future.succeededFuture();
        }
        Map<String, Instant> batch = new HashMap<>(used);
        batch.forEach(used::remove);
        ArrayNode rows = Json.object().arrayNode();
        batch.forEach((id, at) -> rows.addObject().put("id", id).put("last_used_at", at.toString()));
        return store.apply(Json.write(rows)).onFailure(e -> {
            log.debug("access.usage-not-written keys={}", batch.size());
            batch.forEach(used::putIfAbsent);
        });
    }

    /** The last use of each key, by id, up to this moment on this node and a few seconds ago on others. */
    Future<Map<String, Instant>> read() {
        return postgres.read(READ, Tuple.tuple()).map(rows -> {
            Map<String, Instant> all = new HashMap<>();
            rows.forEach(row -> all.put(
                    row.getString("id"), row.getOffsetDateTime("last_used_at").toInstant()));
            all.putAll(used);
            return all;
        });
    }
}
