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
    static final Duration IDLE = Duration.ofMinutes(2);

    /** Longer than any request takes that is no stream, also one whose body comes slowly. */
    static final Duration BUSY = Duration.ofMinutes(10);

    private final IdentityHashMap<HttpConnection, Use> uses = new IdentityHashMap<>();

    /** What a connection is doing: it carries one request at a time. */
    static final class Use {
        private long sinceNanos = System.nanoTime();
        private boolean isBusy;
        private boolean isStream;
        private final String remoteAddress;

        Use(HttpConnection connection) {
            remoteAddress = connection.remoteAddress() == null
                    ? ""
                    : String.valueOf(connection.remoteAddress().hostAddress());
        }

        /** The address of who is connected; worked out once, as each time it would be put together anew. */
        String remoteAddress() {
            return remoteAddress;
        }

        /** A request began. */
        void began(long nanos) {
            sinceNanos = nanos;
            isBusy = true;
        }

        /** The request is a stream, which ends itself. */
        void streams() {
            isStream = true;
        }

        void ended() {
            sinceNanos = System.nanoTime();
            isBusy = false;
            isStream = false;
        }
    }

    void opened(HttpConnection connection) {
        uses.put(connection, new Use(connection));
        connection.closeHandler(v -> uses.remove(connection));
    }

    /** What a connection is used for; one of its own where it is not known. */
    Use of(HttpConnection connection) {
        Use use = uses.get(connection);
        return use == null ? new Use(connection) : use;
    }

    /** Closes those that have been without a request, or busy with one, for so long; how many. */
    int sweep(Duration idle, Duration busy) {
        long now = System.nanoTime();
        List<HttpConnection> over = new ArrayList<>();
        uses.forEach((connection, use) -> {
            Duration most = use.isBusy ? busy : idle;
            if (!use.isStream && now - use.sinceNanos > most.toNanos()) {
                over.add(connection);
            }
        });
        for (HttpConnection connection : over) {
            uses.remove(connection);
            connection.close();
        }
        return over.size();
    }
}
