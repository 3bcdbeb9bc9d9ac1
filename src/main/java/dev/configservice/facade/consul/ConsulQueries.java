package dev.configservice.facade.consul;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.access.Scope;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.SharedAnswers;
import dev.configservice.log.ChangeFeed;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Reads as Consul answers them: with the index of what they show, which is the revision of its last change; with
 * {@code index}, a read waits until that moves on.
 */
final class ConsulQueries {
    private static final Duration DEFAULT_WAIT = Duration.ofMinutes(5);
    private static final Duration MAX_WAIT = Duration.ofMinutes(10);

    /** The number of things from which an answer takes too long for an event loop. */
    private static final int LARGE = 200;
    /** The parameters on which the instances in an answer depend. */
    private static final List<String> SHOWN_BY = List.of("tag", "passing");

    private final SharedAnswers answers;

    /** Creates the reads of a node. */
    ConsulQueries(ChangeFeed feed) {
        this.answers = new SharedAnswers(() -> feed.applied().revision());
    }

    /** The kind of a large answer that callers with the same reach share. */
    private record Kind(String path, Map<String, String> query, Scope reach) {}

    /**
     * The answer of a read.
     *
     * @param index the revision of the last change of what it shows
     * @param response makes the response, once it is known that it will be sent
     * @param isOutdated whether newer changes are known, but cannot be read
     */
    record Shown(long index, Supplier<Future<Response>> response, boolean isOutdated) {
        private boolean isKnown(long known) {
            return Math.max(1, index) == known;
        }

        Future<Response> answer() {
            return Futures.map(
                    response.get(),
                    made -> made.asOf(0, isOutdated)
                            .header("X-Consul-Index", Long.toString(Math.max(1, index)))
                            .header("X-Consul-KnownLeader", "true")
                            .header("X-Consul-LastContact", "0"));
        }
    }

    /**
     * Returns the answer of a read that shows so many things. A large one is made on a worker thread, and once for all that
     * ask for the same: clients that wait for one change wake together.
     */
    Shown json(Request request, long index, boolean isOutdated, int things, Supplier<JsonNode> body) {
        if (things <= LARGE) {
            return new Shown(index, () -> Future.succeededFuture(Response.json(200, body.get())), isOutdated);
        }
        Map<String, String> query = new TreeMap<>();
        SHOWN_BY.forEach(name -> {
            String value = request.query(name);
            if (value != null) {
                query.put(name, value);
            }
        });
        Kind kind = new Kind(request.path(), query, request.caller().serviceNames());
        return new Shown(
                index,
                () -> answers.get(kind, () -> Futures.onWorker(() -> Response.json(200, body.get()))),
                isOutdated);
    }

    /**
     * A read that can be made again.
     *
     * @param changed returns a future that completes with the next change of what the read shows, or after a time
     */
    record Query(Supplier<Future<Shown>> read, Function<Duration, Future<Void>> changed) {}

    /** Answers a read, at once or when its index has moved on. */
    static Future<Response> answered(Request request, Query query) {
        String filter = request.query("filter");
        if (filter != null && !filter.isEmpty()) {
            throw ServiceException.invalid("filter", "is not supported");
        }
        String known = request.query("index");
        if (known == null || known.isEmpty()) {
            return query.read().get().compose(Shown::answer);
        }
        if (!known.matches("\\d{1,18}")) {
            throw ServiceException.invalid("index", "must be a whole number");
        }
        String asked = request.query("wait");
        Duration wait = ConsulService.duration("wait", asked == null ? "" : asked);
        wait = wait == null || wait.isZero() ? DEFAULT_WAIT : wait.compareTo(MAX_WAIT) > 0 ? MAX_WAIT : wait;
        long jitter = ThreadLocalRandom.current().nextLong(wait.toMillis() / 16 + 1);
        long end = System.nanoTime() + wait.plusMillis(jitter).toNanos();
        return until(request, query, Long.parseLong(known), end);
    }

    private static Future<Response> until(Request request, Query query, long known, long endNanos) {
        // a read may end on another thread, but waiting begins on the event loop of the request
        return Futures.here(query.read().get()).compose(shown -> {
            Duration left = Duration.ofNanos(endNanos - System.nanoTime());
            if (!shown.isKnown(known)
                    || left.isNegative()
                    || left.isZero()
                    || request.gone().getAsBoolean()) {
                return shown.answer();
            }
            // listen first, then read again: a change that comes in between is not missed
            Future<Void> changed = query.changed().apply(left);
            return Futures.here(query.read().get())
                    .compose(again -> !again.isKnown(known)
                            ? again.answer()
                            : Futures.here(changed).compose(v -> until(request, query, known, endNanos)));
        });
    }
}
