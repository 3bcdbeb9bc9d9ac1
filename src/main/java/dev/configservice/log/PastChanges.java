package dev.configservice.log;

import io.vertx.core.Future;
import java.util.List;

/** The changes that are older than those that a node has in memory. */
public interface PastChanges {
    /** Returns the next changes after a revision, in order: at most {@code limit}, or fewer if they are large. */
    Future<List<Change>> after(long revision, int limit);

    /** Returns the first revision that the log holds; 0 if it holds none. */
    Future<Long> oldest();
}
