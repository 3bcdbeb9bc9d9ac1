package dev.configservice.events.audit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.json.Json;
import dev.configservice.log.Ids;
import dev.configservice.log.Resource;
import dev.configservice.postgres.Postgres;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes who was shown which secret: in memory, and written in batches. While PostgreSQL is away what was noted waits; past
 * a bound the oldest is dropped, which a measure and the log tell.
 */
public final class SecretReads {
    private static final Logger log = LoggerFactory.getLogger(SecretReads.class);
    private static final long EVERY_MILLIS = 1000;
    private static final int MAX_WAITING = 50_000;
    private static final int BATCH = 1000;
    private static final String WRITE = """
            insert into secret_reads (id, occurred_at, actor, request_id, resource_id, environment, service_name, name)
            select * from json_to_recordset($1::text::json) as r(
              id uuid, occurred_at timestamptz, actor text, request_id text, resource_id text, environment text,
              service_name text, name text)
            on conflict do nothing""";

    private final Function<String, Future<Void>> store;
    private final Ids ids;
    private final InstantSource clock;
    private final ConcurrentLinkedQueue<Read> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final Counter dropped;

    private record Read(UUID id, Instant at, String actor, String requestId, Resource resource) {}

    /**
     * @param store writes a batch, as JSON: {@link #in}, or a core node that does
     */
    public SecretReads(
            Vertx vertx, Function<String, Future<Void>> store, Ids ids, InstantSource clock, MeterRegistry meters) {
        this.store = store;
        this.ids = ids;
        this.clock = clock;
        this.dropped = Counter.builder("config_service_secret_reads_dropped")
                .description("Reads of secrets that could not be written to the audit")
                .register(meters);
        vertx.setPeriodic(EVERY_MILLIS, t -> write());
    }

    /** Writes batches to the database. */
    public static Function<String, Future<Void>> in(Postgres postgres) {
        return rows -> postgres.read(WRITE, Tuple.of(rows)).mapEmpty();
    }

    /** Notes that an actor was shown a resource's secret. */
    public void note(Resource resource, String actor, String requestId) {
        waiting.add(new Read(ids.next(), clock.instant(), actor, requestId, resource));
        if (size.incrementAndGet() > MAX_WAITING && waiting.poll() != null) {
            size.decrementAndGet();
            dropped.increment();
        }
    }

    /** Writes what was noted. */
    public Future<Void> write() {
        List<Read> batch = new ArrayList<>();
        Read next;
        while (batch.size() < BATCH && (next = waiting.poll()) != null) {
            batch.add(next);
            size.decrementAndGet();
        }
        if (batch.isEmpty()) {
            return Future.succeededFuture();
        }
        ArrayNode rows = Json.object().arrayNode();
        for (Read read : batch) {
            rows.addObject()
                    .put("id", read.id().toString())
                    .put("occurred_at", read.at().toString())
                    .put("actor", read.actor())
                    .put("request_id", read.requestId())
                    .put("resource_id", read.resource().id())
                    .put("environment", read.resource().environment())
                    .put("service_name", read.resource().serviceName())
                    .put("name", read.resource().name());
        }
        Future<Void> stored = store.apply(Json.write(rows)).onFailure(e -> {
            log.warn("audit.secret-reads-wait reads={} cause={}", batch.size(), e.toString());
            waiting.addAll(batch);
            size.addAndGet(batch.size());
        });
        // more is waiting
        return batch.size() == BATCH ? stored.compose(v -> write()) : stored;
    }
}
