package dev.configservice.http;

import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * The open connections of one event loop. Connections without a request for a while are closed.
 *
 * <p>The server's own idle timeout is not used: it would read the clock at each read and write, and listen for the end
 * of each write. That would cost a twentieth of a lookup. Used only on one event loop.
 */
final class IdleConnections {
    static final Duration IDLE = Duration.ofMinutes(2);

    /** The longest time for one request. Apart from streams, none takes longer, even if its body arrives slowly. */
    static final Duration BUSY = Duration.ofMinutes(12);

    private final IdentityHashMap<HttpConnection, Use> uses = new IdentityHashMap<>();
    private final AddressLimit limit;

    /** The state of a connection, which carries one request at a time. */
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

        /** Returns the address of the client. It is computed only once, because each call would build a new string. */
        String remoteAddress() {
            return remoteAddress;
        }

        /** Records that a request has begun. */
        void began(long nanos) {
            sinceNanos = nanos;
            isBusy = true;
        }

        /** Records that the request is a stream. Streams end by themselves, so their connections are not swept. */
        void streams() {
            isStream = true;
        }

        void ended() {
            sinceNanos = System.nanoTime();
            isBusy = false;
            isStream = false;
        }
    }

    IdleConnections(AddressLimit limit) {
        this.limit = limit;
    }

    /** Takes a new connection, or closes it if its address has too many already. */
    void opened(HttpConnection connection) {
        Use use = new Use(connection);
        if (!limit.enter(use.remoteAddress())) {
            connection.close();
            return;
        }
        uses.put(connection, use);
        connection.closeHandler(v -> {
            uses.remove(connection);
            limit.leave(use.remoteAddress());
        });
    }

    /** Returns the state of a connection, or a new state if the connection is not known. */
    Use of(HttpConnection connection) {
        Use use = uses.get(connection);
        return use == null ? new Use(connection) : use;
    }

    /**
     * Closes connections that have been without a request for longer than {@code idle}, or busy with one request for
     * longer than {@code busy}.
     *
     * @return the number of closed connections
     */
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
