package dev.configservice.log;

import dev.configservice.postgres.Postgres;
import dev.configservice.secret.ClusterMac;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The seals of the log. Every second, a core node stores an authentication code over the hash of the chain at the last
 * revision that it has applied. Whoever can write to the database can compute the chain again after a change, but not
 * the seals: their key never reaches the database. Each seal covers the revision of the seal before it, so that none can
 * be left out.
 */
public final class Seals {
    private static final Logger log = LoggerFactory.getLogger(Seals.class);
    private static final long EVERY_MILLIS = 1000;
    private static final long FORGET_EVERY = 3600;
    private static final int PAGE = 500;

    private static final String LAST = "select revision from seals order by revision desc limit 1";
    /** Stores a seal, unless another node has stored one meanwhile. */
    private static final String STORE = """
            insert into seals (revision, previous, hash, at, key_id, code) select $1, $2, $3, $4, $5, $6
            where coalesce((select max(revision) from seals), 0) = $2
            on conflict do nothing""";

    private static final String OLD_KEYS = """
            select revision, previous, hash, at, key_id, code from seals where key_id <> $1 and revision > $2
            order by revision limit $3""";
    private static final String REPLACE = "update seals set key_id = $2, code = $3 where revision = $1";
    private static final String FORGET = """
            delete from seals where revision < (
              select max(revision) from seals where revision <= (select anchor_revision from retention))""";

    private final Vertx vertx;
    private final Postgres postgres;
    private final ChangeFeed feed;
    private final ClusterMac mac;
    private final InstantSource clock;
    private boolean busy;
    private volatile long last = -1;
    private long ticks;

    /** Creates the seals of a core node. */
    public Seals(Vertx vertx, Postgres postgres, ChangeFeed feed, ClusterMac mac, InstantSource clock) {
        this.vertx = vertx;
        this.postgres = postgres;
        this.feed = feed;
        this.mac = mac;
        this.clock = clock;
    }

    /** Starts to seal the log. First gives the seals of a key that was replaced codes of the new key. */
    public void start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                // the next tick seals it
            }

            /** A restored database has fewer seals, too. */
            @Override
            public void reset(Position position) {
                last = -1;
            }
        });
        vertx.setPeriodic(EVERY_MILLIS, t -> tick());
        renew(0).onFailure(e -> log.warn("seals.not-renewed cause={}", e.toString()));
    }

    /** Returns the code of a seal. */
    public static byte[] code(ClusterMac mac, long revision, long previous, byte[] hash, Instant at) {
        return mac.of(message(revision, previous, at), hash);
    }

    /** Tells whether a row of the table of seals was written by this cluster. */
    public static boolean verifies(ClusterMac mac, Row seal) {
        return mac.verifies(
                seal.getBuffer("code").getBytes(),
                message(
                        seal.getLong("revision"),
                        seal.getLong("previous"),
                        seal.getOffsetDateTime("at").toInstant()),
                seal.getBuffer("hash").getBytes());
    }

    private static byte[] message(long revision, long previous, Instant at) {
        byte[] label = "seal".getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(label.length + 3 * Long.BYTES)
                .put(label)
                .putLong(revision)
                .putLong(previous)
                .putLong(at.toEpochMilli())
                .array();
    }

    private void tick() {
        ChangeFeed.Head head = feed.head();
        boolean nothingNew = last >= head.position().revision();
        if (busy || nothingNew || !feed.isStarted() || !feed.staleness().isZero()) {
            return;
        }
        busy = true;
        Future<?> sealed = seal(head);
        if (ticks++ % FORGET_EVERY == 0) {
            sealed = sealed.compose(v -> postgres.read(FORGET, Tuple.tuple()));
        }
        sealed.onComplete(done -> {
            busy = false;
            if (done.failed()) {
                log.debug("seals.not-stored cause={}", done.cause().toString());
            }
        });
    }

    private Future<Void> seal(ChangeFeed.Head head) {
        return postgres.read(LAST, Tuple.tuple()).compose(rows -> {
            long previous = rows.rowCount() == 0 ? 0 : rows.iterator().next().getLong("revision");
            if (previous < last) {
                log.error("seals.lost expected={} found={} (somebody deleted seals of the log)", last, previous);
            }
            long revision = head.position().revision();
            if (previous >= revision) {
                last = previous;
                return Future.succeededFuture();
            }
            Instant at = clock.instant().truncatedTo(ChronoUnit.MILLIS);
            byte[] hash = HexFormat.of().parseHex(head.hash().hex());
            return postgres.read(
                            STORE,
                            Tuple.of(
                                    revision,
                                    previous,
                                    Buffer.buffer(hash),
                                    at.atOffset(ZoneOffset.UTC),
                                    mac.keyId(),
                                    Buffer.buffer(code(mac, revision, previous, hash, at))))
                    .map(stored -> {
                        if (stored.rowCount() == 1) {
                            last = revision;
                        }
                        return null;
                    });
        });
    }

    /** Replaces the codes of a former key, page by page, while that key is still known. */
    private Future<Void> renew(long after) {
        return postgres.read(OLD_KEYS, Tuple.of(mac.keyId(), after, PAGE)).compose(rows -> {
            Future<Void> done = Future.succeededFuture();
            long to = after;
            for (Row seal : rows) {
                to = seal.getLong("revision");
                if (!verifies(mac, seal)) {
                    log.warn("seals.unknown-key revision={} key={}", to, seal.getString("key_id"));
                    continue;
                }
                byte[] code = code(
                        mac,
                        to,
                        seal.getLong("previous"),
                        seal.getBuffer("hash").getBytes(),
                        seal.getOffsetDateTime("at").toInstant());
                Tuple replacement = Tuple.of(to, mac.keyId(), Buffer.buffer(code));
                done = done.compose(v -> postgres.read(REPLACE, replacement).mapEmpty());
            }
            long next = to;
            return rows.rowCount() < PAGE ? done : done.compose(v -> renew(next));
        });
    }
}
