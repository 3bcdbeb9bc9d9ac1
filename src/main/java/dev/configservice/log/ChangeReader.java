package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the log after a position: from memory if it reaches back that far, else from the log itself. */
public final class ChangeReader {
    public static final int PAGE = 256;

    private final ChangeFeed feed;
    private final PastChanges past;

    public ChangeReader(ChangeFeed feed, PastChanges past) {
        this.feed = feed;
        this.past = past;
    }

    /**
     * The next changes after a revision, at most a page, none beyond what this node has applied. Fails with
     * {@link ErrorCode#GONE} where the log does not hold all of them any more.
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
        return past.after(revision, PAGE).compose(changes -> {
            List<Change> upTo = new ArrayList<>(changes);
            upTo.removeIf(c -> c.revision() > applied);
            boolean follows = !upTo.isEmpty() && upTo.get(0).revision() == revision + 1;
            return follows ? Future.succeededFuture(upTo) : unlessDropped(revision, upTo);
        });
    }

    /** A gap is a new epoch, or changes that were dropped: a reader must not continue as if nothing were missing. */
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
