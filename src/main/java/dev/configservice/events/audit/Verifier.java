package dev.configservice.events.audit;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeLog;
import dev.configservice.log.LogEntry;
import dev.configservice.log.Seals;
import dev.configservice.postgres.Postgres;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import dev.configservice.secret.Sha256;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The verification of the log: the chain of hashes is computed again, every seal is compared with it, and what is stored
 * now is compared with what the log says. It reads page by page.
 */
public final class Verifier {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration SEALED_WITHIN = Duration.ofSeconds(10);
    private static final int PAGE = 500;
    /** The maximum size of a page. A page with a single change may exceed it. */
    private static final int PAGE_BYTES = 2_000_000;

    /** A page of the chain. A change is stored if it is the last of its resource, and its resource is as it says. */
    private static final String CHAIN = """
            select c.revision, c.epoch, c.event_id, c.kind, c.action, c.resource_id, c.environment, c.service_name, c.name,
                   c.version, c.fence, c.actor_type, c.actor_id, c.actor, c.request_id, c.comment, c.occurred_at,
                   c.row::text as row, null::bytea as sealed, c.digest, c.hash, c.empties_unit,
                   c.set_id, c.set_index, c.set_count, null::text as trace_parent,
                   c.action not in ('deleted', 'deregistered') and c.kind <> 'log'
                     and not exists (select from resources r where r.kind collate "C" = c.kind and r.id = c.resource_id)
                     and not exists (select from changes l where l.kind = c.kind and l.resource_id = c.resource_id
                                     and l.version > c.version) as is_missing
            from (
              -- only rows that are sent are read whole
              select p.revision as at, sum(p.bytes) over (order by p.revision) - p.bytes as before
              from (select revision, greatest(coalesce(bytes, 0), 0) as bytes from changes
                    where revision >= $1 and revision <= $2 and revision > (select anchor_revision from retention)
                    order by revision limit $3) p) q
            join changes c on c.revision = q.at
            where q.before < $4 order by c.revision""";

    /**
     * The last link of the chain before a revision. It is that of a change in the log. If the log holds no change
     * before the revision, it is that of the last change that was dropped, or the start of the chain.
     */
    private static final String LINK_BEFORE = """
            select revision, hash from (
              select anchor_revision as revision, anchor_hash as hash from retention
              union all
              (select revision, hash from changes
               where revision < $1 and revision > (select anchor_revision from retention)
               order by revision desc limit 1)) links
            order by revision desc limit 1""";

    private static final String HASH_AT = """
            select hash from changes where revision = $1
            union all select anchor_hash from retention where anchor_revision = $1
            limit 1""";

    private static final String SEALS =
            "select revision, previous, hash, at, key_id, code from seals where revision >= $1 and revision <= $2 order by revision";

    /** The revision of the first seal that covers a revision, and that of the last of all. */
    private static final String COVERING = """
            select (select min(revision) from seals where revision >= $1) as covering,
                   (select max(revision) from seals) as last""";

    /** A page of resources in the order of ids: each with a comparison of what is stored with its last change. */
    private static final String STORED = """
            with page as (
              select kind, id, environment, service_name, name, version, revision, fence, row, sealed
              from (select r.*, sum(size) over (order by id, kind) - size as before
                    from (select s.*, greatest(coalesce(bytes, 0), 0) as size
                          from resources s where (id, kind) > ($1, $2) order by id, kind limit $3) r) r
              where before < $4)
            select p.kind, p.id, p.revision,
                   c.resource_id is not null and c.revision = p.revision and c.environment = p.environment
                     and c.service_name = p.service_name and c.name = p.name and c.row::text = p.row::text
                     and c.action not in ('deleted', 'deregistered')
                     and ((c.sealed is null) = (p.sealed is null)) as same,
                   p.row ->> 'commitment' as commitment, p.sealed
            from page p
            left join lateral (select * from resource_changes c
                               where c.kind = p.kind and c.resource_id = p.id and c.version = p.version limit 1) c on true
            order by p.id, p.kind""";

    private final Postgres postgres;
    private final ClusterMac mac;
    private final Keyring keyring;

    public Verifier(Postgres postgres, ClusterMac mac, Keyring keyring) {
        this.postgres = postgres;
        this.keyring = keyring;
        this.mac = mac;
    }

    /** The result: the first revision that is not as it was written, if any. */
    public record Verification(long from, long to, @Nullable Long firstBreak) {}

    /**
     * Verifies the log between two revisions. The result starts at the oldest revision that the log still holds, if that
     * is later than {@code from}.
     *
     * @param hash the hash that revision {@code from} had, as lower-case hex; null if it is not known
     * @param stop tells whether nobody waits for the result any more
     */
    public Future<Verification> verify(long from, long to, @Nullable String hash, BooleanSupplier stop) {
        if (hash == null) {
            return verify(from, to, stop);
        }
        return postgres.read(HASH_AT, Tuple.of(from), DEADLINE).compose(rows -> {
            boolean same = rows.rowCount() > 0
                    && HexFormat.of()
                            .formatHex(rows.iterator().next().getBuffer("hash").getBytes())
                            .equals(hash);
            return same ? verify(from, to, stop) : Future.succeededFuture(new Verification(from, to, from));
        });
    }

    private Future<Verification> verify(long from, long to, BooleanSupplier stop) {
        return postgres.read(COVERING, Tuple.of(to), DEADLINE).compose(seals -> {
            Row seal = seals.iterator().next();
            // up to the seal that covers the end
            long end = Objects.requireNonNullElse(seal.getLong("covering"), to);
            long sealedEnd = Math.min(Objects.requireNonNullElse(seal.getLong("last"), 0L), end);
            return postgres.read(LINK_BEFORE, Tuple.of(from), DEADLINE).compose(rows -> {
                Row link = rows.iterator().next();
                long start = Math.max(from, link.getLong("revision") + 1);
                Walk walk =
                        new Walk(start, end, sealedEnd, link.getBuffer("hash").getBytes(), stop);
                return walk.page(start).compose(at -> {
                    Long broken = walk.broken;
                    long shown = Math.min(to, at);
                    return broken != null
                            ? Future.succeededFuture(new Verification(start, Math.max(shown, 0), broken))
                            : stored(start, to, "", "", stop).map(b -> new Verification(start, Math.max(shown, 0), b));
                });
            });
        });
    }

    /** One walk along the chain. */
    private final class Walk {
        private final long start;
        private final long end;
        /** The revision of the last seal when the walk began. The log must hold that revision. */
        private final long sealedEnd;

        private final BooleanSupplier stop;
        private byte[] chain;
        /** The revision up to which seals cover the chain. */
        private long sealedTo;

        private boolean sealSeen;
        private @Nullable OffsetDateTime firstUnsealed;
        private long firstUnsealedRevision;
        private @Nullable Long broken;

        Walk(long start, long end, long sealedEnd, byte[] before, BooleanSupplier stop) {
            this.start = start;
            this.end = end;
            this.sealedEnd = sealedEnd;
            this.stop = stop;
            this.chain = before;
            this.sealedTo = start - 1;
        }

        /** Walks on from a revision. Returns the last one that was read. */
        Future<Long> page(long next) {
            if (stop.getAsBoolean()) {
                return Future.failedFuture("nobody waits for the result");
            }
            return postgres.read(CHAIN, Tuple.of(next, end, PAGE, PAGE_BYTES), DEADLINE)
                    .compose(rows -> rows.size() == 0 ? Future.succeededFuture(atEnd(next - 1)) : onPage(next, rows));
        }

        private Future<Long> onPage(long next, RowSet<Row> rows) {
            long last = next;
            for (Row row : rows) {
                last = row.getLong("revision");
            }
            long to = last;
            return postgres.read(SEALS, Tuple.of(next, to), DEADLINE).compose(seals -> {
                check(rows, seals);
                return broken == null ? page(to + 1) : Future.succeededFuture(to);
            });
        }

        private void check(RowSet<Row> rows, RowSet<Row> seals) {
            var pending = seals.iterator();
            Row seal = pending.hasNext() ? pending.next() : null;
            for (Row row : rows) {
                long revision = row.getLong("revision");
                byte[] hash = row.getBuffer("hash").getBytes();
                if (!Arrays.equals(hash, link(chain, row)) || !digestHolds(row) || row.getBoolean("is_missing")) {
                    broken = revision;
                    return;
                }
                chain = hash;
                if (firstUnsealed == null) {
                    firstUnsealed = row.getOffsetDateTime("occurred_at");
                    firstUnsealedRevision = revision;
                }
                if (seal != null && seal.getLong("revision") == revision) {
                    long previous = seal.getLong("previous");
                    boolean follows = sealSeen ? previous == sealedTo : previous < start;
                    if (!follows
                            || !Seals.verifies(mac, seal)
                            || !Arrays.equals(seal.getBuffer("hash").getBytes(), hash)) {
                        broken = sealedTo + 1;
                        return;
                    }
                    sealSeen = true;
                    sealedTo = revision;
                    firstUnsealed = null;
                    seal = pending.hasNext() ? pending.next() : null;
                }
            }
        }

        /**
         * Checks the end of the log, whose last revision is given. No change may be missing that was sealed. The last
         * ones may not be sealed yet, but only for some seconds.
         */
        private long atEnd(long last) {
            OffsetDateTime since = firstUnsealed;
            if (last < sealedEnd) {
                broken = last + 1;
            } else if (since != null
                    && since.isBefore(OffsetDateTime.now(since.getOffset()).minus(SEALED_WITHIN))) {
                broken = firstUnsealedRevision;
            }
            return Math.max(last, 0);
        }
    }

    /** Compares the resources, in the order of their ids, with their last changes. Returns the first that differs. */
    private Future<@Nullable Long> stored(long from, long to, String id, String kind, BooleanSupplier stop) {
        if (stop.getAsBoolean()) {
            return Future.failedFuture("nobody waits for the result");
        }
        return postgres.read(STORED, Tuple.of(id, kind, PAGE, PAGE_BYTES), DEADLINE)
                .compose(rows -> {
                    String lastId = id;
                    String lastKind = kind;
                    for (Row row : rows) {
                        lastId = row.getString("id");
                        lastKind = row.getString("kind");
                        long revision = row.getLong("revision");
                        if (!(row.getBoolean("same") && isCommitted(row)) && revision >= from && revision <= to) {
                            return differs(row);
                        }
                    }
                    return rows.size() == 0 ? Future.succeededFuture(null) : stored(from, to, lastId, lastKind, stop);
                });
    }

    /**
     * Tells whether a sealed value is the one that the log commits to. A ciphertext cannot be compared itself: it changes
     * when the value is sealed again. A value that cannot be opened here is not judged.
     */
    private boolean isCommitted(Row row) {
        Buffer sealed = row.getBuffer("sealed");
        if (sealed == null) {
            return true;
        }
        String commitment = keyring.commitmentTo(row.getString("id"), Sealed.of(sealed));
        return commitment == null || commitment.equals(row.getString("commitment"));
    }

    /** Looks at a resource that differs once more: it may have been written while the page was read. */
    private Future<@Nullable Long> differs(Row seen) {
        String id = seen.getString("id");
        return postgres.read(
                        "select revision from resources where kind collate \"C\" = $1 and id = $2",
                        Tuple.of(seen.getString("kind"), id),
                        DEADLINE)
                .map(rows -> rows.rowCount() > 0
                                && rows.iterator().next().getLong("revision") != (long) seen.getLong("revision")
                        ? null
                        : seen.getLong("revision"));
    }

    private static byte[] link(byte[] before, Row row) {
        MessageDigest sha = Sha256.digest();
        sha.update(before);
        sha.update(ByteBuffer.allocate(8).putLong(row.getLong("revision")).array());
        return sha.digest(row.getBuffer("digest").getBytes());
    }

    private static boolean digestHolds(Row row) {
        if (Change.isOfLog(row.getString("kind"))) {
            return true;
        }
        Change c = ChangeLog.toChange(row);
        byte[] digest = LogEntry.digest(
                c.eventId(), c.action(), c.resource(), c.actor(), c.requestId(), c.comment(), c.occurredAt(), c.set());
        return row.getBuffer("digest").equals(Buffer.buffer(digest));
    }
}
