package dev.configservice.postgres;

import dev.configservice.vertx.BatchedWrites;
import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.UUID;

/**
 * A store that inserts batches of rows into a table. A batch that is sent several times is inserted once. All nodes
 * lock rows in the same order, so that they cannot deadlock.
 */
public final class BatchInsert implements BatchedWrites.Store {
    private static final Duration DEADLINE = Duration.ofSeconds(3);
    private static final String FORGET = "delete from written_batches where at < now() - interval '1 day'";

    private final Postgres postgres;
    private final String sql;

    /**
     * Creates a store that inserts into a table.
     *
     * @param table the table with its columns, e.g. {@code key_usage (id, last_used_at)}
     * @param columns the same columns with their types, as {@code json_to_recordset} takes them
     * @param key the columns by which rows are sorted before they are locked
     * @param conflict the action of {@code on conflict}
     */
    public BatchInsert(Postgres postgres, String table, String columns, String key, String conflict) {
        this.postgres = postgres;
        this.sql = """
                with first as (
                  insert into written_batches (id, at) values ($1, now()) on conflict do nothing returning id)
                insert into %s
                select r.* from json_to_recordset($2::text::json) as r(%s)
                where exists (select from first) order by %s
                on conflict %s""".formatted(table, columns, key, conflict);
    }

    @Override
    public Future<Void> write(UUID batch, String rows) {
        return postgres.read(sql, Tuple.of(batch, rows), DEADLINE).mapEmpty();
    }

    /** Deletes the ids of batches that were written more than a day ago. */
    public static Future<Void> forgetOld(Postgres postgres) {
        return postgres.read(FORGET, Tuple.tuple(), DEADLINE).mapEmpty();
    }
}
