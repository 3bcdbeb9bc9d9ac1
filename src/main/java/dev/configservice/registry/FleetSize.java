package dev.configservice.registry;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.postgres.Postgres;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The size of all instances of all services, which has a limit: clients of other systems ask for all of them at once, and so
 * do the checks of this node. The node of the writer counts what it registers, and reads from time to time how much there
 * is. Thread-safe.
 */
public final class FleetSize {
    private static final Logger log = LoggerFactory.getLogger(FleetSize.class);
    private static final long PERIOD_MILLIS = 2000;
    /** The pause between two reads, as a multiple of the time that one takes. */
    private static final long PAUSES = 50;

    private static final String SIZE =
            "select coalesce(sum(bytes), 0)::bigint as bytes from units where starts_with(unit, $1)";

    private final Vertx vertx;
    private final Postgres postgres;
    private final long max;
    private final AtomicLong read = new AtomicLong();
    /** The bytes that were registered since the last read began. */
    private final AtomicLong added = new AtomicLong();

    /**
     * Creates the size, which nothing is known of yet.
     *
     * @param postgres the database for reads that may take long
     * @param max the limit, in bytes of JSON
     */
    public FleetSize(Vertx vertx, Postgres postgres, long max, MeterRegistry meters) {
        this.vertx = vertx;
        this.postgres = postgres;
        this.max = max;
        Gauge.builder("config_service_registry_bytes", this, FleetSize::bytes)
                .description("Size of all registered instances, as this node last read or wrote it")
                .register(meters);
        Gauge.builder("config_service_registry_max_bytes", () -> max)
                .description("The largest size of all registered instances")
                .register(meters);
    }

    /** Reads the size now, and again and again from then on. */
    public void start() {
        read();
    }

    private void read() {
        long before = added.get();
        long started = System.nanoTime();
        postgres.read(SIZE, Tuple.of(Instance.KIND + "/"))
                .onSuccess(rows -> {
                    read.set(rows.iterator().next().getLong("bytes"));
                    added.addAndGet(-before);
                })
                .onFailure(e -> log.debug("registry.size-not-read cause={}", e.toString()))
                .onComplete(done -> vertx.setTimer(
                        Math.max(PERIOD_MILLIS, PAUSES * TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started)),
                        t -> read()));
    }

    private long bytes() {
        return read.get() + added.get();
    }

    /**
     * Counts what a registration adds. Fails with {@link ErrorCode#LAYER_FULL} if there is no room for it.
     *
     * @param bytes the size of the instance, less that of the same one before
     */
    void add(long bytes) {
        if (bytes > 0 && bytes() + bytes > max) {
            throw new ServiceException(
                    ErrorCode.LAYER_FULL,
                    "All instances together may have " + max + " bytes (registry.max-bytes), and have " + bytes());
        }
        added.addAndGet(bytes);
    }
}
