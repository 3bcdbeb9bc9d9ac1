package dev.configservice.log;

import dev.configservice.postgres.Postgres;
import dev.configservice.secret.Sealed;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The job that seals again, with the primary key, all values that an older key sealed. It works row by row while the
 * service runs. Revisions do not change. The hash chain does not change either: it covers a commitment to each value,
 * not the ciphertext.
 */
public final class Resealing {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final int PAGE = 200;

    private static final String OLD_RESOURCES = """
            select kind, id, revision, sealed from resources
            where sealed is not null and substring(sealed from 1 for 5) <> $1 limit $2""";
    private static final String OLD_CHANGES = """
            select kind, resource_id as id, revision, sealed from changes
            where sealed is not null and substring(sealed from 1 for 5) <> $1 limit $2""";
    private static final String OLD_HISTORY = """
            select kind, resource_id as id, revision, sealed from history
            where sealed is not null and substring(sealed from 1 for 5) <> $1 limit $2""";
    private static final String UPDATE_RESOURCE =
            "update resources set sealed = $5 where kind = $1 and id = $2 and revision = $3 and sealed = $4";
    private static final String UPDATE_CHANGE = """
            update changes set sealed = $5
            where kind = $1 and resource_id = $2 and revision = $3 and sealed = $4""";
    private static final String UPDATE_HISTORY = """
            update history set sealed = $5
            where kind = $1 and resource_id = $2 and revision = $3 and sealed = $4""";

    private final Postgres postgres;
    private final Buffer primaryPrefix;
    private final BiFunction<String, Sealed, Sealed> sealAgain;

    /**
     * Creates the job for a keyset.
     *
     * @param primaryPrefix the first bytes of every ciphertext of the primary key
     * @param sealAgain returns the new ciphertext for the id of a resource and its old ciphertext
     */
    public Resealing(Postgres postgres, Buffer primaryPrefix, BiFunction<String, Sealed, Sealed> sealAgain) {
        this.postgres = postgres;
        this.primaryPrefix = primaryPrefix;
        this.sealAgain = sealAgain;
    }

    /** Runs the job once. Succeeds with the number of values that an older key had sealed. */
    public Future<Long> run() {
        return run(OLD_RESOURCES, UPDATE_RESOURCE, 0)
                .compose(n -> run(OLD_CHANGES, UPDATE_CHANGE, n))
                .compose(n -> run(OLD_HISTORY, UPDATE_HISTORY, n));
    }

    private Future<Long> run(String sql, String update, long done) {
        return postgres.read(sql, Tuple.of(primaryPrefix, PAGE), DEADLINE).compose(rows -> {
            if (rows.size() == 0) {
                return Future.succeededFuture(done);
            }
            List<Future<?>> updates = new ArrayList<>();
            for (Row row : rows) {
                updates.add(update(row, update));
            }
            return Future.all(updates).compose(v -> run(sql, update, done + rows.size()));
        });
    }

    private Future<?> update(Row row, String update) {
        String id = row.getString("id");
        Buffer old = row.getBuffer("sealed");
        Buffer fresh = Buffer.buffer(sealAgain.apply(id, Sealed.of(old)).bytes());
        return postgres.read(
                update, Tuple.of(row.getString("kind"), id, row.getLong("revision"), old, fresh), DEADLINE);
    }
}
