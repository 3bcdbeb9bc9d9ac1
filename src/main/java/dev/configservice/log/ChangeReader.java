package dev.configservice.log;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A reader of the changes after a revision. It reads from memory if they are all there, else from the log itself. Readers
 * that catch up at the same time share the pages of the log: pages end at the same revisions for all of them.
 */
public final class ChangeReader {
    public static final int PAGE = 256;

    private static final long SHARED_BYTES = 16 << 20;
    private static final Duration SHARED_FOR = Duration.ofSeconds(10);

    private final ChangeFeed feed;
    private final PastChanges past;
    private final Map<Long, Future<List<Change>>> reading = new ConcurrentHashMap<>();
    private final Cache<Long, List<Change>> pages = Caffeine.newBuilder()
            .maximumWeight(SHARED_BYTES)
            .weigher((Long after, List<Change> page) ->
                    (int) page.stream().mapToLong(Change::size).sum())
            .expireAfterWrite(SHARED_FOR)
            .build();

    public ChangeReader(ChangeFeed feed, PastChanges past) {
        this.feed = feed;
        this.past = past;
    }

    /**
     * Returns the next changes after a revision: at most a page, and only changes that this node has applied. Fails
     * with {@link ErrorCode#GONE} if the log no longer holds all of them.
     */
    public Future<List<Change>> after(long revision) {
        long applied = feed.applied().revision();
        if (revision >= applied) {
            return Future.succeededFuture(List.of());
        }
        List<Change> recent = feed.recent().after(revision, PAGE);
        if (recent != null) {
            return Future.succeededFuture(recent);
        }
        return page(revision).compose(changes -> {
            List<Change> upTo = new ArrayList<>(changes);
            upTo.removeIf(c -> c.revision() > applied);
            boolean follows = !upTo.isEmpty() && upTo.get(0).revision() == revision + 1;
            return follows ? Future.succeededFuture(upTo) : unlessDropped(revision, upTo);
        });
    }

    private Future<List<Change>> page(long revision) {
        List<Change> known = pages.getIfPresent(revision);
        if (known != null
                && !known.isEmpty()
                && known.get(0).position().epoch() == feed.applied().epoch()) {
            return Future.succeededFuture(known);
        }
        Promise<List<Change>> mine = Promise.promise();
        Future<List<Change>> running = reading.putIfAbsent(revision, mine.future());
        if (running != null) {
            return running;
        }
        past.after(revision, (int) (PAGE - revision % PAGE)).onComplete(done -> {
            if (done.succeeded()) {
                pages.put(revision, done.result());
            }
            reading.remove(revision, mine.future());
            mine.handle(done);
        });
        return mine.future();
    }

    /**
     * Fails if the gap after the revision is due to changes that were dropped: the reader must not continue as if
     * nothing were missing. A gap at the start of a new epoch is no failure.
     */
    private Future<List<Change>> unlessDropped(long revision, List<Change> changes) {
        return oldest().compose(oldest -> revision > 0 && revision + 1 < oldest
                ? Future.failedFuture(new ServiceException(
                        ErrorCode.GONE,
                        "The log begins at revision " + oldest,
                        List.of(),
                        Map.of("oldest_revision", oldest)))
                : Future.succeededFuture(changes));
    }

    /** Returns the first revision that the log still holds; 0 if it holds none. */
    public Future<Long> oldest() {
        return past.oldest();
    }
}
