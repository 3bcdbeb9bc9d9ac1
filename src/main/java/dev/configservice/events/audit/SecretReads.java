package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.access.Actor;
import dev.configservice.json.Json;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.postgres.BatchInsert;
import dev.configservice.postgres.Postgres;
import dev.configservice.vertx.BatchedWrites;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The record of who was shown which secret. Reads are collected in memory and written in batches. While PostgreSQL is
 * unreachable they wait in memory. Above a limit the oldest are dropped, and a metric counts them.
 */
public final class SecretReads {
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final int MAX_WAITING = 50_000;
    private static final int BATCH = 1000;

    private final BatchedWrites batches;
    private final Ids ids;
    private final InstantSource clock;
    private final ConcurrentLinkedQueue<Read> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final Counter dropped;

    private record Read(UUID id, Instant at, Actor actor, String requestId, Resource resource) {}

    /**
     * Creates the record of a node.
     *
     * @param store the target of the batches: {@link #store}, or on an edge a core node
     */
    public SecretReads(Vertx vertx, BatchedWrites.Store store, Ids ids, InstantSource clock, MeterRegistry meters) {
        this.ids = ids;
        this.clock = clock;
        this.batches = new BatchedWrites(vertx, "secret-reads", EVERY, this::take, store, ids::next);
        this.dropped = Counter.builder("config_service_secret_reads_dropped")
                .description("Reads of secrets that were dropped because too many waited for PostgreSQL")
                .register(meters);
    }

    /** Returns a store that writes batches to PostgreSQL. */
    public static BatchedWrites.Store store(Postgres postgres) {
        return new BatchInsert(
                postgres,
                "secret_reads (id, occurred_at, actor_type, actor_id, actor, request_id, resource_id, environment, service_name, name)",
                "id uuid, occurred_at timestamptz, actor_type text, actor_id text, actor text, request_id text, resource_id text, environment text,"
                        + " service_name text, name text",
                "id",
                "do nothing");
    }

    /** Starts to write the recorded reads every second. */
    public void start() {
        batches.start();
    }

    /** Records that an actor was shown a resource's secret. */
    public void note(Resource resource, Actor actor, String requestId) {
        waiting.add(new Read(ids.next(), clock.instant(), actor, requestId, resource));
        if (size.incrementAndGet() > MAX_WAITING && waiting.poll() != null) {
            size.decrementAndGet();
            dropped.increment();
        }
    }

    /** Writes the reads that were recorded since the last write. */
    public Future<Void> write() {
        return batches.write();
    }

    private @Nullable String take() {
        ArrayNode rows = Json.object().arrayNode();
        Read read;
        while (rows.size() < BATCH && (read = waiting.poll()) != null) {
            size.decrementAndGet();
            rows.addObject()
                    .put("id", read.id().toString())
                    .put("occurred_at", read.at().toString())
                    .put("actor_type", read.actor().type().text())
                    .put("actor_id", read.actor().id())
                    .put("actor", read.actor().name())
                    .put("request_id", read.requestId())
                    .put("resource_id", read.resource().id())
                    .put("environment", read.resource().environment())
                    .put("service_name", read.resource().serviceName())
                    .put("name", read.resource().name());
        }
        return rows.isEmpty() ? null : Json.write(rows);
    }
}
