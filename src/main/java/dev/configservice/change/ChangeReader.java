package dev.configservice.change;

import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;

/** Reads the log from a position on: from memory where it reaches back that far, else from PostgreSQL. */
public final class ChangeReader {
    static final int PAGE = 256;

    private final ChangeFeed feed;
    private final ChangeLog changeLog;

    public ChangeReader(ChangeFeed feed, ChangeLog changeLog) {
        this.feed = feed;
        this.changeLog = changeLog;
    }

    /** The next changes after a revision, at most a page, none beyond what this node has applied. */
    Future<List<Change>> after(long revision) {
        long applied = feed.applied().revision();
        if (revision >= applied) {
            return Future.succeededFuture(List.of());
        }
        List<Change> recent = feed.recent().after(revision, PAGE);
        if (recent != null) {
            return Future.succeededFuture(recent);
        }
        return changeLog.after(revision, PAGE).map(changes -> {
            List<Change> upTo = new ArrayList<>(changes);
            upTo.removeIf(c -> c.revision() > applied);
            return upTo;
        });
    }

    /** The first revision that the log still holds; 0 where it holds none. */
    Future<Long> oldest() {
        return changeLog.oldest();
    }
}
