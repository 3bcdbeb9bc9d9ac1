package dev.configservice.flag;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.configservice.flag.eval.Evaluation;
import dev.configservice.flag.eval.FlagDefinition;
import dev.configservice.flag.eval.Reason;
import dev.configservice.json.Json;
import dev.configservice.postgres.BatchInsert;
import dev.configservice.postgres.Postgres;
import dev.configservice.vertx.BatchedWrites;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The counts of evaluations by flag, variant, reason and hour. They are gathered in memory and written with one
 * statement every few seconds. A batch that could not be written is kept and retried. Beyond a fixed number of
 * combinations, new combinations are not counted.
 */
public final class FlagUsage {
    private static final Logger log = LoggerFactory.getLogger(FlagUsage.class);
    private static final Duration EVERY = Duration.ofSeconds(5);
    private static final long CLEAN_EVERY_MILLIS = 3_600_000;
    private static final int MAX_COMBINATIONS = 200_000;

    private static final String CLEAN = "delete from flag_usage where hour < now() - interval '30 days'";
    private static final String READ = """
            select hour, variant, reason, evaluations, last_at from flag_usage
            where flag_id = $1 and hour >= now() - interval '30 days'
            order by hour desc, variant, reason""";

    private static final String LAST = """
            select f.id, u.last_at from unnest($1::text[]) as f(id)
            cross join lateral (
              select max(u.last_at) as last_at from flag_usage u
              where u.flag_id = f.id and u.hour = (select max(h.hour) from flag_usage h where h.flag_id = f.id)) u
            where u.last_at is not null""";

    /** The number of writes after which an outcome that nobody got is forgotten: its flag may be gone. */
    private static final int MAX_IDLE_WRITES = 500;

    private final Postgres postgres;
    private final BatchedWrites batches;
    private final Vertx vertx;
    private final InstantSource clock;
    private final Map<Key, Count> counts = new ConcurrentHashMap<>();
    private final Map<Reason, Counter> byReason;

    private record Key(String flagId, String variant, Reason reason) {}

    /** The evaluations with one outcome since the last write. */
    static final class Count {
        private final Key key;
        private final LongAdder evaluations = new LongAdder();
        /** The number of writes since the last evaluation; used only by the writer. */
        private int idleWrites;

        private volatile boolean dropped;

        private Count(Key key) {
            this.key = key;
        }
    }

    /** The evaluations of one hour with one variant and one reason. An empty variant means that there was none. */
    record Line(Instant hour, String variant, String reason, long evaluations, Instant lastAt) {}

    /**
     * Creates the counts of one node.
     *
     * @param store the target of the batches: {@link #store}, or on an edge a core node
     */
    public FlagUsage(
            Vertx vertx,
            Postgres postgres,
            BatchedWrites.Store store,
            Supplier<UUID> ids,
            InstantSource clock,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.postgres = postgres;
        this.clock = clock;
        this.batches = new BatchedWrites(vertx, "flag-usage", EVERY, this::take, store, ids);
        Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
        for (Reason reason : Reason.values()) {
            counters.put(
                    reason,
                    Counter.builder("config_service_evaluations")
                            .description("Flag evaluations, by reason")
                            .tag("reason", reason.name())
                            .register(meters));
        }
        this.byReason = counters;
    }

    /** Returns a store that writes batches to PostgreSQL. */
    public static BatchedWrites.Store store(Postgres postgres) {
        return new BatchInsert(
                postgres,
                "flag_usage (flag_id, hour, variant, reason, evaluations, last_at)",
                "flag_id text, hour timestamptz, variant text, reason text, evaluations bigint, last_at timestamptz",
                "flag_id, hour, variant, reason",
                """
                (flag_id, hour, variant, reason) do update
                set evaluations = flag_usage.evaluations + excluded.evaluations,
                    last_at = greatest(flag_usage.last_at, excluded.last_at)""");
    }

    /** Starts to write the counts every few seconds. */
    public void start() {
        batches.start();
    }

    /** Starts to delete counts that are older than 30 days. Only for nodes with a database. */
    public void startCleaning() {
        vertx.setPeriodic(
                CLEAN_EVERY_MILLIS,
                t -> postgres.read(CLEAN, Tuple.tuple())
                        .onFailure(e -> log.debug("flags.usage-not-cleaned cause={}", e.toString())));
    }

    /** Returns the counter for such evaluations; null if the flag does not exist, or at the limit of combinations. */
    @Nullable
    Count counter(Evaluation evaluation) {
        FlagDefinition flag = evaluation.flag();
        if (flag == null) {
            return null;
        }
        Key key = new Key(
                flag.id(),
                evaluation.variant() == null ? "" : evaluation.variant().name(),
                evaluation.reason());
        Count count = counts.get(key);
        return count != null || counts.size() >= MAX_COMBINATIONS ? count : counts.computeIfAbsent(key, Count::new);
    }

    void count(List<RenderedEvaluation> evaluations) {
        Map<Reason, int[]> reasons = new EnumMap<>(Reason.class);
        for (RenderedEvaluation evaluation : evaluations) {
            reasons.computeIfAbsent(evaluation.evaluation().reason(), r -> new int[1])[0]++;
            Count count = evaluation.counter();
            if (count != null) {
                count.evaluations.increment();
                if (count.dropped) {
                    revive(count);
                }
            }
        }
        byReason.forEach((reason, counter) -> {
            int[] times = reasons.get(reason);
            if (times != null) {
                counter.increment(times[0]);
            }
        });
    }

    /** Writes the counts that were gathered since the last write. */
    public Future<Void> write() {
        return batches.write();
    }

    /** Takes up a count again that was dropped because nobody had used it for long. */
    private void revive(Count count) {
        Count other = counts.putIfAbsent(count.key, count);
        if (other == null) {
            count.dropped = false;
        } else if (!other.equals(count)) {
            other.evaluations.add(count.evaluations.sumThenReset());
        }
    }

    private @Nullable String take() {
        Instant now = clock.instant();
        String hour = now.truncatedTo(ChronoUnit.HOURS).toString();
        ArrayNode rows = Json.object().arrayNode();
        counts.forEach((key, count) -> {
            long n = count.evaluations.sumThenReset();
            count.idleWrites = n > 0 ? 0 : count.idleWrites + 1;
            if (count.idleWrites > MAX_IDLE_WRITES) {
                counts.remove(key, count);
                count.dropped = true;
            }
            if (n > 0) {
                rows.addObject()
                        .put("flag_id", key.flagId())
                        .put("hour", hour)
                        .put("variant", key.variant())
                        .put("reason", key.reason().name())
                        .put("evaluations", n)
                        .put("last_at", now.toString());
            }
        });
        return rows.isEmpty() ? null : Json.write(rows);
    }

    /**
     * Writes the counts that this node has in memory, then returns when flags were last evaluated, by their ids. Other nodes
     * write every few seconds. Flags that were not evaluated in 30 days are missing.
     */
    Future<Map<String, Instant>> lastEvaluated(List<String> flagIds) {
        Tuple ids = Tuple.tuple().addArrayOfString(flagIds.toArray(String[]::new));
        return write().compose(v -> postgres.read(LAST, ids)).map(rows -> {
            Map<String, Instant> last = new HashMap<>();
            rows.forEach(row -> last.put(
                    row.getString("id"), row.getOffsetDateTime("last_at").toInstant()));
            return last;
        });
    }

    /** Writes the counts that this node has in memory, then reads those of a flag, newest first. */
    Future<List<Line>> read(String flagId) {
        return write().compose(v -> postgres.read(READ, Tuple.of(flagId))).map(rows -> {
            List<Line> lines = new ArrayList<>();
            rows.forEach(row -> lines.add(new Line(
                    row.getOffsetDateTime("hour").toInstant(),
                    row.getString("variant"),
                    row.getString("reason"),
                    row.getLong("evaluations"),
                    row.getOffsetDateTime("last_at").toInstant())));
            return lines;
        });
    }
}
