package dev.configservice.log;

import dev.configservice.error.ServiceException;
import dev.configservice.postgres.Migrations;
import dev.configservice.postgres.Postgres;
import dev.configservice.settings.SettingsException;
import dev.configservice.vertx.Backoff;
import dev.configservice.vertx.Outage;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.pgclient.PgConnection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The verticle that follows the log and applies its changes on this node. It looks into the log once a second, and also
 * when PostgreSQL notifies it of a commit. Each look checks that the log still holds the change that was applied last.
 * If the change is missing although retention has not dropped it, the log went back, and a new epoch begins.
 */
public final class ChangeFeedVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(ChangeFeedVerticle.class);
    private static final int PAGE = 256;
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    private static final Duration KEEP_EVERY = Duration.ofSeconds(5);
    private static final int CHECK_EVERY_KEEPS = 4;
    private static final int UNITS_PER_CHECK = 10_000;
    private static final Duration DEADLINE = Duration.ofSeconds(1);
    private static final Duration HEAD_DEADLINE = Duration.ofSeconds(30);

    private final ChangeFeed feed;
    private final ChangeLog changeLog;
    private final Postgres postgres;
    private final Migrations migrations;
    private final PositionStore kept;
    private final Ids ids;
    private final InstantSource clock;
    private final Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1));
    private final Outage outage = new Outage(log, "feed");
    private final Promise<Void> firstTry = Promise.promise();

    private @Nullable PgConnection connection;
    private boolean migrated;
    private boolean looking;
    private boolean again;
    private boolean checked;
    private volatile boolean keptBehind;
    private long retryTimer = -1;
    private int keeps;
    private long keptNanos = System.nanoTime();

    public ChangeFeedVerticle(
            ChangeFeed feed,
            ChangeLog changeLog,
            Postgres postgres,
            Migrations migrations,
            PositionStore kept,
            Ids ids,
            InstantSource clock) {
        this.feed = feed;
        this.changeLog = changeLog;
        this.postgres = postgres;
        this.migrations = migrations;
        this.kept = kept;
        this.ids = ids;
        this.clock = clock;
    }

    /**
     * Completes after the first attempt to read the log. If the attempt fails, the node continues with the stored
     * position, if there is one, and retries. Fails only with {@link SettingsException}.
     */
    @Override
    public Future<?> start() {
        feed.bind(context);
        vertx.setPeriodic(LOOK_EVERY.toMillis(), t -> look());
        return kept.load()
                .recover(e -> Future.succeededFuture(Optional.empty()))
                .compose(found -> {
                    found.ifPresent(this::startFromKept);
                    look();
                    return firstTry.future();
                });
    }

    @Override
    public Future<?> stop() {
        dropConnection();
        return Future.succeededFuture();
    }

    /** Looks into the log now, e.g. because the writer noticed that this node does not have its latest state. */
    void poke() {
        feed.run(this::look);
    }

    /**
     * Accepts changes that this node has written. They are applied directly if they follow the last applied change.
     * Otherwise the changes are read from the log.
     */
    void offer(List<Change> changes) {
        feed.run(() -> {
            List<Change> next = changes.stream()
                    .filter(c -> c.revision() > feed.applied().revision())
                    .toList();
            if (next.isEmpty()) {
                return;
            }
            boolean follows = checked
                    && next.get(0).revision() == feed.applied().revision() + 1
                    && next.get(0).position().epoch() == feed.applied().epoch();
            if (follows) {
                apply(next);
            } else {
                look();
            }
        });
    }

    private void startFromKept(PositionStore.Kept found) {
        feed.reset(found.position(), found.hash(), found.units());
        feed.startedStale(Duration.between(found.lookedAt(), clock.instant()));
        log.info(
                "feed.started-stale epoch={} revision={}",
                found.position().epoch(),
                found.position().revision());
    }

    private void look() {
        if (looking) {
            again = true;
            return;
        }
        looking = true;
        again = false;
        connected()
                .compose(c -> feed.isStarted() && feed.applied().epoch() > 0 ? follow(c) : begin(c))
                .onComplete(result -> {
                    looking = false;
                    if (result.succeeded()) {
                        succeeded();
                    } else {
                        failed(result.cause());
                    }
                });
    }

    private void succeeded() {
        outage.succeeded();
        backoff.reset();
        long now = System.nanoTime();
        feed.lookedAt(now);
        if (now - keptNanos > KEEP_EVERY.toNanos()) {
            keptNanos = now;
            keep();
        }
        firstTry.tryComplete();
        if (again) {
            look();
        }
    }

    /**
     * Stores the time of this look with the position. If an earlier update of the store failed, or if the store lost
     * something, replaces all of it.
     */
    private void keep() {
        Future<Void> done = keptBehind
                ? kept.replace(feed.applied(), feed.head().hash(), feed.units())
                : kept.advance(feed.applied(), feed.applied(), feed.head().hash(), Map.of(), Map.of());
        keptBehind = false;
        done.onFailure(e -> keptBehind = true);
        // a check reads all units: the more there are, the less often
        if (++keeps % (CHECK_EVERY_KEEPS * (1 + feed.size() / UNITS_PER_CHECK)) == 0) {
            kept.load().onSuccess(found -> keptBehind |= found.isEmpty());
        }
    }

    private void failed(Throwable cause) {
        dropConnection();
        if (cause instanceof SettingsException) {
            firstTry.tryFail(cause);
            return;
        }
        long pause = backoff.nextMillis();
        outage.failed(cause);
        firstTry.tryComplete();
        if (retryTimer == -1) {
            retryTimer = vertx.setTimer(pause, t -> {
                retryTimer = -1;
                look();
            });
        }
    }

    private Future<PgConnection> connected() {
        PgConnection existing = connection;
        if (existing != null) {
            return Future.succeededFuture(existing);
        }
        Future<Void> schema = migrated ? Future.succeededFuture() : migrations.run(vertx);
        return schema.compose(v -> {
                    migrated = true;
                    return postgres.connect(DEADLINE);
                })
                .compose(fresh -> {
                    connection = fresh;
                    fresh.notificationHandler(n -> heard(n.getPayload()));
                    fresh.closeHandler(v -> {
                        if (connection == fresh) {
                            connection = null;
                            look();
                        }
                    });
                    return postgres.within(
                                    DEADLINE,
                                    fresh,
                                    () -> fresh.query("listen changes").execute())
                            .map(fresh);
                });
    }

    /**
     * Handles the notification of a commit. Changes that this node wrote reach the feed directly, at about the same
     * time. So this method waits a moment, and looks into the log only if the revision is still missing.
     */
    private void heard(String revision) {
        long heard = Long.parseLong(revision);
        if (heard > feed.applied().revision()) {
            vertx.setTimer(1, t -> {
                if (heard > feed.applied().revision()) {
                    look();
                }
            });
        }
    }

    private void dropConnection() {
        PgConnection old = connection;
        connection = null;
        if (old != null) {
            Postgres.drop(old);
        }
    }

    /** Starts from the head of the log, on a node that has no position yet. */
    private Future<Void> begin(PgConnection c) {
        return changeLog.head(c, HEAD_DEADLINE).compose(head -> {
            feed.reset(head.position(), head.hash(), head.units());
            checked = true;
            log.info(
                    "feed.start epoch={} revision={}",
                    head.position().epoch(),
                    head.position().revision());
            kept.replace(head.position(), head.hash(), head.units());
            return Future.succeededFuture();
        });
    }

    private Future<Void> follow(PgConnection c) {
        Position at = feed.applied();
        Change.Hash hash = feed.head().hash();
        return changeLog.from(c, Math.max(1, at.revision()), PAGE, DEADLINE).compose(rows -> {
            boolean holds = at.revision() == 0
                    || (!rows.isEmpty()
                            && rows.get(0).position().equals(at)
                            && rows.get(0).hash().equals(hash));
            if (!holds) {
                return wentBack(c, at);
            }
            if (!checked) {
                // what a store outside the database says about the units counts only while there is nothing better
                return begin(c);
            }
            if (rows.isEmpty()) {
                return beginIfEpochMoved(c, at);
            }
            // changes that this node wrote may have been applied during the read
            long revision = feed.applied().revision();
            List<Change> next =
                    rows.stream().filter(r -> r.revision() > revision).toList();
            if (next.isEmpty()) {
                return Future.succeededFuture();
            }
            if (next.get(0).revision() != revision + 1 || next.get(0).position().epoch() != at.epoch()) {
                return restart(c);
            }
            int legal = 1;
            while (legal < next.size()
                    && next.get(legal).position().epoch() == at.epoch()
                    && next.get(legal).revision() == next.get(legal - 1).revision() + 1) {
                legal++;
            }
            apply(next.subList(0, legal));
            again |= rows.size() == PAGE || legal < next.size();
            return Future.succeededFuture();
        });
    }

    private void apply(List<Change> changes) {
        Position before = feed.applied();
        Map<String, Long> was = feed.unitsBefore(changes);
        feed.apply(changes);
        kept.advance(before, feed.applied(), feed.head().hash(), ChangeFeed.unitsOf(changes), was)
                .onFailure(e -> keptBehind = true);
    }

    /** Starts over if the log has a new epoch. At revision 0 there is no row to compare, so the head is compared. */
    private Future<Void> beginIfEpochMoved(PgConnection c, Position at) {
        return changeLog
                .head(c, HEAD_DEADLINE)
                .compose(head -> head.position().epoch() == at.epoch() ? Future.succeededFuture() : begin(c));
    }

    /**
     * Handles a log that does not hold the change that was applied last. If retention dropped it, the node continues
     * from the head. Otherwise the database went back in time, and a new epoch begins.
     */
    private Future<Void> wentBack(PgConnection c, Position at) {
        return changeLog.head(c, HEAD_DEADLINE).compose(head -> {
            if (head.position().epoch() == at.epoch() && at.revision() <= head.anchor()) {
                log.info("feed.dropped-behind applied={} anchor={}", at.revision(), head.anchor());
                return restart(c);
            }
            log.warn(
                    "feed.went-back applied={}/{} head={}/{}",
                    at.epoch(),
                    at.revision(),
                    head.position().epoch(),
                    head.position().revision());
            return changeLog.beginEpoch(c, at, ids.next(), DEADLINE).compose(now -> restart(c));
        });
    }

    private Future<Void> restart(PgConnection c) {
        return changeLog.head(c, HEAD_DEADLINE).compose(head -> {
            if (head.position().compareTo(feed.applied()) < 0) {
                return Future.failedFuture(ServiceException.unavailable("the log is behind this node"));
            }
            checked = true;
            feed.reset(head.position(), head.hash(), head.units());
            log.warn(
                    "feed.reset epoch={} revision={}",
                    head.position().epoch(),
                    head.position().revision());
            kept.replace(head.position(), head.hash(), head.units());
            return Future.succeededFuture();
        });
    }
}
