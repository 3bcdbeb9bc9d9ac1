package dev.configservice.facade.eureka;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.registry.Instance;
import io.vertx.core.Future;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The instances that changed within the last three minutes, each as it was after its last change. A node that has just
 * started reads them from the log; until then it does not know them. Thread-safe.
 */
final class EurekaChanges {
    static final Duration WINDOW = Duration.ofMinutes(3);
    private static final Logger log = LoggerFactory.getLogger(EurekaChanges.class);
    private static final int MAX_CHANGED = 20_000;
    private static final long FIRST_STEP = 1000;
    private static final long MAX_STEP = 256_000;
    private static final long NEVER = Long.MAX_VALUE;

    private final ChangeFeed feed;
    private final ChangeReader reader;
    private final InstantSource clock;
    private final LinkedHashMap<String, Changed> byKey = new LinkedHashMap<>();
    private volatile Version version = new Version(0, 0);
    /** The time from which on no change is missing. */
    private long completeFrom = NEVER;

    /** The time up to which changes were dropped because there were too many. */
    private long droppedUntil;

    /** True once a client has asked: before that, nothing is kept. */
    private boolean isWanted;

    private boolean isReading;
    private long resets;

    /** An instance after its last change. */
    record Changed(Resource last, long atMillis) {
        /** Returns the instance in the form in which all others are. */
        Instance instance() {
            return Instance.of(last);
        }
    }

    /**
     * The state of all instances.
     *
     * @param number moves with every change
     * @param revision the revision of the last change
     */
    record Version(long number, long revision) {}

    EurekaChanges(ChangeFeed feed, ChangeReader reader, InstantSource clock) {
        this.feed = feed;
        this.reader = reader;
        this.clock = clock;
    }

    /** Starts to follow the log. */
    void start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (change.resource().kind().equals(Instance.KIND)) {
                    note(change, clock.millis());
                    moved(change.revision());
                }
            }

            @Override
            public void reset(Position position) {
                forget();
                moved(position.revision());
            }
        });
    }

    private synchronized void moved(long revision) {
        version = new Version(version.number() + 1, revision);
    }

    Version version() {
        return version;
    }

    private synchronized void forget() {
        byKey.clear();
        completeFrom = NEVER;
        resets++;
    }

    private synchronized void note(Change change, long atMillis) {
        if (!isWanted) {
            return;
        }
        String key = change.resource().id();
        byKey.remove(key);
        byKey.put(key, new Changed(change.resource(), atMillis));
        if (byKey.size() > MAX_CHANGED) {
            Iterator<Changed> oldest = byKey.values().iterator();
            droppedUntil = Math.max(droppedUntil, oldest.next().atMillis() + 1);
            completeFrom = completeFrom == NEVER ? NEVER : Math.max(completeFrom, droppedUntil);
            oldest.remove();
        }
    }

    /** Adds a change of the past, unless a later one of the instance is known. */
    private synchronized void add(Change change) {
        if (change.resource().kind().equals(Instance.KIND)) {
            Changed known = byKey.get(change.resource().id());
            if (known == null || known.last().revision() < change.revision()) {
                note(change, change.occurredAt().toEpochMilli());
            }
        }
    }

    /** Returns the instances that changed within the window; null if this node does not know all of them. */
    synchronized @Nullable List<Changed> recent() {
        isWanted = true;
        long from = clock.millis() - WINDOW.toMillis();
        byKey.values().removeIf(c -> c.atMillis() < from);
        if (completeFrom <= from) {
            return new ArrayList<>(byKey.values());
        }
        if (!isReading && completeFrom == NEVER && feed.isStarted()) {
            isReading = true;
            read(from, resets);
        }
        return null;
    }

    private void read(long from, long reset) {
        long upTo = feed.applied().revision();
        Instant since = Instant.ofEpochMilli(from);
        start(upTo, FIRST_STEP, since).compose(start -> forward(start, upTo)).onComplete(done -> {
            if (done.failed()) {
                log.debug("eureka.delta-not-read cause={}", done.cause().toString());
            }
            ended(done.succeeded(), from, reset);
        });
    }

    private synchronized void ended(boolean isComplete, long from, long reset) {
        isReading = false;
        if (isComplete && reset == resets) {
            completeFrom = Math.max(from, droppedUntil);
        }
    }

    /** Returns a revision before the changes since a time, close to them. */
    private Future<Long> start(long upTo, long step, Instant since) {
        long at = Math.max(0, upTo - step);
        return reader.after(at).compose(page -> {
            if (at == 0 || page.isEmpty() || page.get(0).occurredAt().isBefore(since)) {
                return Future.succeededFuture(at);
            }
            return step >= MAX_STEP
                    ? Future.failedFuture("more than " + MAX_STEP + " changes in the window")
                    : start(upTo, 4 * step, since);
        });
    }

    private Future<Void> forward(long after, long upTo) {
        return after >= upTo
                ? Future.succeededFuture()
                : reader.after(after).compose(page -> {
                    page.forEach(this::add);
                    return page.isEmpty()
                            ? Future.succeededFuture()
                            : forward(page.get(page.size() - 1).revision(), upTo);
                });
    }
}
