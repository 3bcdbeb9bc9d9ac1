package dev.configservice.http;

import dev.configservice.error.ServiceException;
import io.vertx.core.net.SocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of requests that were refused because a valid credential or a right was missing. It writes only a few lines
 * per second, so that nobody can fill the log from outside, and then the number of suppressed lines. The request metric
 * counts all refused requests. Used only on one event loop.
 */
final class RefusalLog {
    private static final Logger log = LoggerFactory.getLogger(RefusalLog.class);
    private static final long WINDOW_NANOS = Duration.ofSeconds(1).toNanos();
    private static final int MAX_IN_WINDOW = 5;

    private long windowNanos = System.nanoTime();
    private int inWindow;

    void log(ServiceException e, @Nullable String path, @Nullable SocketAddress from) {
        long now = System.nanoTime();
        if (now - windowNanos > WINDOW_NANOS) {
            if (inWindow > MAX_IN_WINDOW) {
                log.info("access.refused-more attempts={}", inWindow - MAX_IN_WINDOW);
            }
            windowNanos = now;
            inWindow = 0;
        }
        if (++inWindow <= MAX_IN_WINDOW) {
            log.info(
                    "access.refused code={} path={} from={} detail={}",
                    e.code(),
                    path,
                    from == null ? "" : from.hostAddress(),
                    e.getMessage());
        }
    }
}
