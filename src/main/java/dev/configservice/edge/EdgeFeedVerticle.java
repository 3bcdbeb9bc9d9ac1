package dev.configservice.edge;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Position;
import dev.configservice.vertx.Futures;
import dev.configservice.vertx.Outage;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The follower of the log on an edge, which has no PostgreSQL. It asks a core node for the next changes when one
 * announces a later position, and every second in any case. If a message is lost, changes arrive late but are not lost.
 */
public final class EdgeFeedVerticle extends VerticleBase {
    /** The number of failures in a row that make an outage. */
    private static final int TRIES = 3;

    private static final Logger log = LoggerFactory.getLogger(EdgeFeedVerticle.class);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    private static final Duration START_DEADLINE = Duration.ofSeconds(5);
    /** A core node that has not compared itself with PostgreSQL for longer than this is itself cut off. */
    private static final Duration OLD = Duration.ofSeconds(3);

    private final ChangeFeed feed;
    private final CoreLog cores;
    private final Promise<Void> firstLook = Promise.promise();
    private boolean looking;
    private boolean again;
    private final Outage outage = new Outage(log, "feed");
    private int failures;

    public EdgeFeedVerticle(ChangeFeed feed, CoreLog cores) {
        this.feed = feed;
        this.cores = cores;
    }

    /** Completes when the edge knows the position of the log, or after five seconds. It keeps trying in that case. */
    @Override
    public Future<?> start() {
        feed.bind(context);
        cores.follow((epoch, revision) -> {
            if (!feed.isStarted() || new Position(epoch, revision).compareTo(feed.applied()) > 0) {
                look();
            }
        });
        vertx.setPeriodic(LOOK_EVERY.toMillis(), t -> look());
        vertx.setTimer(START_DEADLINE.toMillis(), t -> firstLook.tryComplete());
        return firstLook.future();
    }

    private void look() {
        if (looking) {
            again = true;
            return;
        }
        looking = true;
        again = false;
        ChangeFeed.Head head = feed.head();
        Futures.here(cores.next(head.position(), head.hash())).map(this::take).onComplete(done -> {
            looking = false;
            if (done.succeeded()) {
                succeeded(done.result());
            } else {
                failed(done.cause());
            }
        });
    }

    private CoreLog.Next take(CoreLog.Next next) {
        CoreLog.Start start = next.start();
        if (start != null) {
            if (next.position().compareTo(feed.applied()) >= 0) {
                feed.reset(next.position(), start.hash(), start.units());
                log.info(
                        "feed.start epoch={} revision={}",
                        next.position().epoch(),
                        next.position().revision());
            }
            return next;
        }
        long applied = feed.applied().revision();
        List<Change> fresh =
                next.changes().stream().filter(c -> c.revision() > applied).toList();
        if (!fresh.isEmpty()) {
            feed.apply(fresh);
        }
        again |= feed.applied().compareTo(next.position()) < 0;
        return next;
    }

    private void succeeded(CoreLog.Next next) {
        outage.succeeded();
        failures = 0;
        feed.lookedAt(System.nanoTime() - next.lookAge().toNanos());
        if (next.lookAge().compareTo(OLD) > 0) {
            cores.another();
        }
        firstLook.tryComplete();
        if (again) {
            look();
        }
    }

    private void failed(Throwable cause) {
        failures++;
        // another core node may answer the next time
        if (failures >= TRIES) {
            outage.failed(cause);
        }
    }
}
