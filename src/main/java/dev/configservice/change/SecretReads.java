package dev.configservice.change;

import dev.configservice.postgres.Postgres;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
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
            select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                                 $7::text[], $8::text[])
            on conflict do nothing""";

    private final Postgres postgres;
    private final Ids ids;
    private final InstantSource clock;
    private final ConcurrentLinkedQueue<Read> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final Counter dropped;

    private record Read(UUID id, Instant at, String actor, String requestId, Resource resource) {}

    public SecretReads(Vertx vertx, Postgres postgres, Ids ids, InstantSource clock, MeterRegistry meters) {
        this.postgres = postgres;
        this.ids = ids;
        this.clock = clock;
        this.dropped = Counter.builder("config_service_secret_reads_dropped")
                .description("Reads of secrets that could not be written to the audit")
                .register(meters);
        vertx.setPeriodic(EVERY_MILLIS, t -> write());
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
        Tuple arguments = Tuple.tuple()
                .addArrayOfUUID(batch.stream().map(Read::id).toArray(UUID[]::new))
                .addArrayOfOffsetDateTime(
                        batch.stream().map(r -> r.at().atOffset(ZoneOffset.UTC)).toArray(OffsetDateTime[]::new))
                .addArrayOfString(batch.stream().map(Read::actor).toArray(String[]::new))
                .addArrayOfString(batch.stream().map(Read::requestId).toArray(String[]::new))
                .addArrayOfString(batch.stream().map(r -> r.resource().id()).toArray(String[]::new))
                .addArrayOfString(
                        batch.stream().map(r -> r.resource().environment()).toArray(String[]::new))
                .addArrayOfString(
                        batch.stream().map(r -> r.resource().serviceName()).toArray(String[]::new))
                .addArrayOfString(batch.stream().map(r -> r.resource().name()).toArray(String[]::new));
        return postgres.read(WRITE, arguments)
                .onFailure(e -> {
                    log.warn("audit.secret-reads-wait reads={} cause={}", batch.size(), e.toString());
                    waiting.addAll(batch);
                    size.addAndGet(batch.size());
                })
                .mapEmpty();
    }
}
