package dev.configservice.credential;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.json.Json;
import dev.configservice.postgres.BatchInsert;
import dev.configservice.postgres.Postgres;
import dev.configservice.vertx.BatchedWrites;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The time of the last use of each key. It is collected in memory and written at intervals. It is not a change, so it
 * is not in the log. There are never more entries than keys.
 */
public final class KeyUsage {
    private static final Duration EVERY = Duration.ofSeconds(5);
    private static final String READ = "select id, last_used_at from key_usage";

    private final Postgres postgres;
    private final BatchedWrites batches;
    private final Map<String, Instant> used = new ConcurrentHashMap<>();

    /**
     * Creates the record of a node.
     *
     * @param store the target of the batches: {@link #store}, or on an edge a core node
     */
    public KeyUsage(Vertx vertx, Postgres postgres, BatchedWrites.Store store, Supplier<UUID> ids) {
        this.postgres = postgres;
        this.batches = new BatchedWrites(vertx, "key-usage", EVERY, this::take, store, ids);
    }

    /** Returns a store that writes batches to PostgreSQL. */
    public static BatchedWrites.Store store(Postgres postgres) {
        return new BatchInsert(
                postgres,
                "key_usage (id, last_used_at)",
                "id text, last_used_at timestamptz",
                "id",
                "(id) do update set last_used_at = greatest(key_usage.last_used_at, excluded.last_used_at)");
    }

    /** Starts to write the recorded uses every few seconds. */
    public void start() {
        batches.start();
    }

    void used(String id, Instant at) {
        used.put(id, at);
    }

    /** Writes the uses that were recorded since the last write. */
    public Future<Void> write() {
        return batches.write();
    }

    private @Nullable String take() {
        if (used.isEmpty()) {
            return null;
        }
        ArrayNode rows = Json.object().arrayNode();
        Map.copyOf(used).forEach((id, at) -> {
            if (used.remove(id, at)) {
                rows.addObject().put("id", id).put("last_used_at", at.toString());
            }
        });
        return rows.isEmpty() ? null : Json.write(rows);
    }

    /**
     * Reads the last use of each key, by id. The uses on this node are up to date. Those on other nodes may be missing
     * for a few seconds.
     */
    Future<Map<String, Instant>> read() {
        return write().otherwiseEmpty()
                .compose(v -> postgres.read(READ, Tuple.tuple()))
                .map(rows -> {
                    Map<String, Instant> all = new HashMap<>();
                    rows.forEach(row -> all.put(
                            row.getString("id"),
                            row.getOffsetDateTime("last_used_at").toInstant()));
                    return all;
                });
    }
}
