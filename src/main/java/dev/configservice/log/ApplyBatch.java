package dev.configservice.log;

import dev.configservice.log.Change.Hash;
import dev.configservice.log.LogEntry.Judged;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.secret.ClusterMac;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** A call of the SQL function {@code apply_batch}: its arguments, each an array over all entries, and its results. */
final class ApplyBatch {
    static final String SQL = """
            select outcome, at_revision, at_hash, other_id, empties_unit
            from apply_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                             $20, $21, $22::text[]::json[], $23, $24, $25, $26, $27, $28, $29, $30,
                             $31, $32, $33, $34, $35, $36, $37)""";

    private ApplyBatch() {}

    /** The outcome of one entry. The names are those that the function returns. */
    enum BatchOutcome {
        /** The entry was applied. The result has its revision and its hash. */
        DONE,
        /** The same request was applied before with this Idempotency-Key. The result has the revision of that time. */
        REPLAYED,
        /** The Idempotency-Key was used before for another request. */
        REUSED,
        /** The path belongs to another resource. The result has its id. */
        TAKEN,
        /** The resource or its unit has changed since the entry was computed. */
        MOVED,
        /** The resource no longer exists. */
        GONE,
        /** The unit would grow beyond its largest size. */
        FULL;

        static BatchOutcome of(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    /**
     * The result of one entry.
     *
     * @param emptiesUnit whether its unit has no resources afterwards
     */
    record Result(
            BatchOutcome outcome,
            long revision,
            @Nullable Hash hash,
            @Nullable String otherId,
            boolean emptiesUnit) {}

    /**
     * Returns the arguments of a call.
     *
     * @param set the id of the change set that the entries are; null if they are written each by itself
     * @param isDry whether the call only tells what it would do
     */
    static Tuple arguments(
            Position known,
            Hash hash,
            List<LogEntry> entries,
            @Nullable UUID set,
            boolean isDry,
            ResourceKinds kinds,
            ClusterMac mac) {
        Tuple arguments = Tuple.tuple()
                .addLong(known.epoch())
                .addLong(known.revision())
                .addBuffer(bytes(hash.hex()))
                .addArrayOfString(texts(entries, e -> e.op().text()))
                .addArrayOfUUID(column(entries, UUID[]::new, LogEntry::eventId))
                .addArrayOfString(texts(entries, e -> e.resource().kind()))
                .addArrayOfString(texts(entries, e -> e.resource().id()))
                .addArrayOfString(texts(entries, e -> e.action().text()))
                .addArrayOfString(texts(entries, e -> e.resource().environment()))
                .addArrayOfString(texts(entries, e -> e.resource().serviceName()))
                .addArrayOfString(texts(entries, e -> e.resource().name()))
                .addArrayOfLong(numbers(entries, LogEntry::expected))
                .addArrayOfLong(numbers(entries, e -> e.resource().version()))
                .addArrayOfLong(numbers(entries, e -> e.fenced() ? e.resource().fence() : null))
                .addArrayOfLong(numbers(entries, e -> e.resource().fence()))
                .addArrayOfString(texts(entries, e -> e.origin().actor().type().text()))
                .addArrayOfString(texts(entries, e -> e.origin().actor().id()))
                .addArrayOfString(texts(entries, e -> e.origin().actor().name()))
                .addArrayOfString(texts(entries, e -> e.origin().requestId()))
                .addArrayOfString(texts(entries, e -> e.origin().comment()))
                .addArrayOfOffsetDateTime(column(
                        entries, OffsetDateTime[]::new, e -> e.occurredAt().atOffset(ZoneOffset.UTC)))
                .addArrayOfString(texts(entries, e -> e.resource().row().text()))
                .addArrayOfBuffer(column(
                        entries, Buffer[]::new, e -> e.resource().sealed().bufferOrNull()))
                .addArrayOfBuffer(column(entries, Buffer[]::new, e -> Buffer.buffer(e.digest())))
                .addArrayOfInteger(column(entries, Integer[]::new, LogEntry::bytes))
                .addArrayOfLong(
                        numbers(entries, e -> kinds.get(e.resource().kind()).unitMaxBytes(e.action())))
                .addArrayOfString(texts(
                        entries,
                        e -> e.op() == LogEntry.Op.DELETE
                                ? ""
                                : kinds.get(e.resource().kind()).words(e.resource())));
        return addKeys(arguments, entries, mac).addUUID(set).addBoolean(isDry);
    }

    private static Tuple addKeys(Tuple arguments, List<LogEntry> entries, ClusterMac mac) {
        List<Integer> keyed = new ArrayList<>();
        List<IdempotencyKey> keys = new ArrayList<>();
        // the entries of a set all have the key of the one request
        int single = !entries.isEmpty() && entries.get(0).set() != null ? 1 : entries.size();
        for (int i = 0; i < single; i++) {
            IdempotencyKey key = entries.get(i).origin().idempotencyKey();
            if (key != null) {
                keyed.add(i + 1);
                keys.add(key);
            }
        }
        arguments
                .addArrayOfInteger(keyed.toArray(Integer[]::new))
                .addArrayOfString(column(keys, String[]::new, IdempotencyKey::caller))
                .addArrayOfString(column(keys, String[]::new, IdempotencyKey::key))
                .addArrayOfBuffer(column(keys, Buffer[]::new, k -> Buffer.buffer(digest(mac, k))));
        return addJudged(arguments, entries);
    }

    /** Returns the digest of a request as it is stored: keyed, so that nobody can guess what the request held. */
    static byte[] digest(ClusterMac mac, IdempotencyKey key) {
        return mac.of("request".getBytes(StandardCharsets.UTF_8), HexFormat.of().parseHex(key.digestHex()));
    }

    private static Tuple addJudged(Tuple arguments, List<LogEntry> entries) {
        List<Integer> judged = new ArrayList<>();
        List<Judged> by = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            Judged judgedBy = entries.get(i).judged();
            if (judgedBy != null) {
                judged.add(i + 1);
                by.add(judgedBy);
            }
        }
        return arguments
                .addArrayOfInteger(judged.toArray(Integer[]::new))
                .addArrayOfString(column(by, String[]::new, j -> j.unit().key()))
                .addArrayOfLong(column(by, Long[]::new, Judged::revision))
                .addArrayOfString(texts(entries, e -> e.origin().traceParent()));
    }

    private static Buffer bytes(String hex) {
        return Buffer.buffer(HexFormat.of().parseHex(hex));
    }

    private static @Nullable String[] texts(List<LogEntry> entries, Function<LogEntry, @Nullable String> of) {
        return column(entries, String[]::new, of);
    }

    private static @Nullable Long[] numbers(List<LogEntry> entries, Function<LogEntry, @Nullable Long> of) {
        return column(entries, Long[]::new, of);
    }

    private static <E, T> @Nullable T[] column(List<E> rows, IntFunction<T[]> array, Function<E, @Nullable T> of) {
        @Nullable T[] column = array.apply(rows.size());
        for (int i = 0; i < column.length; i++) {
            column[i] = of.apply(rows.get(i));
        }
        return column;
    }

    static List<Result> results(RowSet<Row> rows) {
        List<Result> results = new ArrayList<>(rows.size());
        for (Row row : rows) {
            Long revision = row.getLong("at_revision");
            Buffer hash = row.getBuffer("at_hash");
            results.add(new Result(
                    BatchOutcome.of(row.getString("outcome")),
                    revision == null ? 0 : revision,
                    hash == null ? null : Hash.of(hash),
                    row.getString("other_id"),
                    Boolean.TRUE.equals(row.getBoolean("empties_unit"))));
        }
        return results;
    }
}
