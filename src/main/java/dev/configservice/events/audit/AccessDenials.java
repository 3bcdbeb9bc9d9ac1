package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.Ids;
import dev.configservice.postgres.BatchInsert;
import dev.configservice.postgres.Postgres;
import dev.configservice.vertx.BatchedWrites;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The record of refused requests: without a valid credential, or without the right. Attempts of one identity from one
 * address are counted together, and written in batches. Above a limit, attempts from further addresses are counted as
 * one, so that nobody can fill the memory or the database from outside.
 */
public final class AccessDenials {
    private static final Duration EVERY = Duration.ofSeconds(5);
    private static final int MAX_WAITING = 5000;
    private static final int BATCH = 1000;
    private static final String OTHERS = "(others)";

    private final BatchedWrites batches;
    private final Ids ids;
    private final InstantSource clock;
    private final Map<Attempt, Count> waiting = new ConcurrentHashMap<>();

    private record Attempt(@Nullable Actor actor, String address, int status, String detail) {}

    /** The number of attempts, and the id and the time of the first. */
    private record Count(UUID id, Instant since, long attempts) {}

    /**
     * Creates the record of a node.
     *
     * @param store the target of the batches: {@link #store}, or on an edge a core node
     */
    public AccessDenials(Vertx vertx, BatchedWrites.Store store, Ids ids, InstantSource clock) {
        this.ids = ids;
        this.clock = clock;
        this.batches = new BatchedWrites(vertx, "access-denials", EVERY, this::take, store, ids::next);
    }

    /** Returns a store that writes batches to PostgreSQL. */
    public static BatchedWrites.Store store(Postgres postgres) {
        return new BatchInsert(
                postgres,
                "access_denials (id, occurred_at, actor_type, actor_id, actor, address, status, detail, attempts)",
                "id uuid, occurred_at timestamptz, actor_type text, actor_id text, actor text, address text, status int,"
                        + " detail text, attempts bigint",
                "id",
                "do nothing");
    }

    /** Starts to write the recorded attempts at intervals. */
    public void start() {
        batches.start();
    }

    /**
     * Records a refused request.
     *
     * @param actor the caller; null if it had no valid credential
     * @param status the HTTP status: 401 or 403
     */
    public void note(@Nullable Actor actor, String address, int status, String detail) {
        Attempt attempt = new Attempt(actor, address, status, detail);
        if (waiting.size() >= MAX_WAITING && !waiting.containsKey(attempt)) {
            attempt = new Attempt(null, OTHERS, status, "");
        }
        waiting.merge(
                attempt,
                new Count(ids.next(), clock.instant(), 1),
                (a, b) -> new Count(a.id(), a.since(), a.attempts() + 1));
    }

    /** Writes the attempts that were recorded since the last write. */
    public Future<Void> write() {
        return batches.write();
    }

    private @Nullable String take() {
        ArrayNode rows = Json.object().arrayNode();
        Iterator<Attempt> it = waiting.keySet().iterator();
        while (rows.size() < BATCH && it.hasNext()) {
            Attempt attempt = it.next();
            Count count = waiting.remove(attempt);
            if (count == null) {
                continue;
            }
            Actor actor = attempt.actor();
            ObjectNode row = rows.addObject()
                    .put("id", count.id().toString())
                    .put("occurred_at", count.since().toString())
                    .put("address", attempt.address())
                    .put("status", attempt.status())
                    .put("detail", attempt.detail())
                    .put("attempts", count.attempts());
            row.put("actor_type", actor == null ? null : actor.type().text());
            row.put("actor_id", actor == null ? null : actor.id());
            row.put("actor", actor == null ? null : actor.name());
        }
        return rows.isEmpty() ? null : Json.write(rows);
    }
}
