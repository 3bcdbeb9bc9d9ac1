package dev.configservice.http;

import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Closes connections that bring no request for a while, or never did. The server's own idle timeout would look at the clock
 * at each read and write, and listen for the end of each write: a twentieth of what a lookup costs. Touched only on one
 * event loop.
 */
final class IdleConnections {
    /** Longer than any request takes that is no stream. */
    static final Duration AFTER = Duration.ofMinutes(2);

    private final IdentityHashMap<HttpConnection, Use> uses = new IdentityHashMap<>();

    private static final class Use {
        private long nanos = System.nanoTime();
        private boolean isStream;
    }

    void opened(HttpConnection connection) {
        uses.put(connection, new Use());
        connection.closeHandler(v -> uses.remove(connection));
    }

    /** A request came on it. */
    void used(HttpConnection connection, long nanos) {
        Use use = uses.get(connection);
        if (use != null) {
            use.nanos = nanos;
        }
    }

    /** It carries a stream, which ends itself. */
    void streams(HttpConnection connection) {
        Use use = uses.get(connection);
        if (use != null) {
            use.isStream = true;
        }
    }

    /** Closes those that were last used before so long; how many. */
    int sweep(Duration after) {
        long now = System.nanoTime();
        List<HttpConnection> idle = new ArrayList<>();
        uses.forEach((connection, use) -> {
            if (!use.isStream && now - use.nanos > after.toNanos()) {
                idle.add(connection);
            }
        });
        idle.forEach(HttpConnection::close);
        return idle.size();
    }
}
