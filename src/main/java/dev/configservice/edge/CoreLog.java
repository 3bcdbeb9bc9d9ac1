package dev.configservice.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.PastChanges;
import dev.configservice.log.Position;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The log as an edge reads it. Core nodes serve the changes that they have applied, from memory as far as possible. */
public final class CoreLog implements PastChanges {
    private static final String NEXT = "log.next";
    private static final String PAST = "log.past";
    private static final String OLDEST = "log.oldest";
    private static final Duration PAST_DEADLINE = Duration.ofSeconds(2);
    private static final long ANNOUNCE_MILLIS = 1000;

    private final CoreBus cores;

    public CoreLog(CoreBus cores) {
        this.cores = cores;
    }

    /**
     * The continuation of the log after the position of an edge.
     *
     * @param position the position of the core node
     * @param lookAge the time since the core node last compared itself with PostgreSQL
     * @param changes the next changes, at most a page
     * @param start the data to start over with, if the core node does not know the position of the edge, or if its
     *     memory does not reach back that far; else null
     */
    record Next(
            Position position,
            Duration lookAge,
            List<Change> changes,
            @Nullable Start start) {}

    /** A point in the log to start from: its hash, and the last revision of every unit at that point. */
    record Start(Change.Hash hash, Map<String, Long> units) {}

    /**
     * Answers the requests of edges for the log. Announces the position of this node after each change, and every
     * second in any case.
     */
    public static void serve(CoreBus cores, Vertx vertx, ChangeFeed feed, ChangeReader reader) {
        cores.serve(NEXT, question -> {
            JsonNode asked = Json.read(question.getBytes());
            Position at = position(asked);
            Change.Hash hash = new Change.Hash(asked.path("hash").asText());
            Promise<Buffer> promise = Promise.promise();
            // on the event loop of the feed no change can be applied in between
            feed.run(() -> {
                if (!feed.isStarted() || feed.applied().compareTo(at) < 0) {
                    promise.fail(ServiceException.unavailable("This core node has not applied that position yet"));
                } else {
                    promise.complete(next(feed, at, hash));
                }
            });
            return promise.future();
        });
        cores.serve(
                PAST,
                question -> reader.after(
                                Json.read(question.getBytes()).path("after").longValue())
                        .map(changes -> Buffer.buffer(Json.bytes(ChangeJson.write(changes)))));
        cores.serve(OLDEST, question -> reader.oldest().map(oldest -> Buffer.buffer(Long.toString(oldest))));

        Announcer announcer = new Announcer(cores, vertx, feed);
        feed.addListener(announcer);
        cores.onAsked(announcer::announce);
        vertx.setPeriodic(ANNOUNCE_MILLIS, t -> announcer.announce());
    }

    /** A listener that announces the position once for all changes that are applied in one turn of the event loop. */
    private static final class Announcer implements ChangeFeed.Listener {
        private final CoreBus cores;
        private final Vertx vertx;
        private final ChangeFeed feed;
        private boolean pending;

        Announcer(CoreBus cores, Vertx vertx, ChangeFeed feed) {
            this.cores = cores;
            this.vertx = vertx;
            this.feed = feed;
        }

        @Override
        public void applied(Change change) {
            if (!pending) {
                pending = true;
                vertx.runOnContext(v -> {
                    pending = false;
                    announce();
                });
            }
        }

        void announce() {
            Position at = feed.applied();
            if (feed.isStarted()) {
                cores.announce(at.epoch(), at.revision());
            }
        }
    }

    /**
     * Tells whether this node also has the last change of an edge. If it does not, or if that change is too old to
     * tell, the edge starts over.
     */
    private static boolean follows(ChangeFeed feed, Position at, Change.Hash hash) {
        return at.epoch() == feed.applied().epoch() && hash.equals(feed.recent().hashAt(at.revision()));
    }

    private static Buffer next(ChangeFeed feed, Position at, Change.Hash hash) {
        ChangeFeed.Head head = feed.head();
        Position applied = head.position();
        ObjectNode answer = Json.object()
                .put("epoch", applied.epoch())
                .put("revision", applied.revision())
                .put("look_age_millis", feed.lookAge().toMillis());
        List<Change> changes = follows(feed, at, hash) ? feed.recent().after(at.revision(), ChangeReader.PAGE) : null;
        if (changes == null) {
            answer.put("hash", head.hash().hex());
            answer.set("units", Json.tree(feed.units()));
        } else {
            answer.set("changes", ChangeJson.write(changes));
        }
        return Buffer.buffer(Json.bytes(answer));
    }

    private static Position position(JsonNode node) {
        return new Position(
                node.path("epoch").longValue(), node.path("revision").longValue());
    }

    Future<Next> next(Position at, Change.Hash hash) {
        ObjectNode question = Json.object()
                .put("epoch", at.epoch())
                .put("revision", at.revision())
                .put("hash", hash.hex());
        return ask(NEXT, question, CoreBus.DEADLINE).map(answer -> {
            JsonNode o = Json.read(answer.getBytes());
            return new Next(
                    position(o),
                    Duration.ofMillis(o.path("look_age_millis").longValue()),
                    ChangeJson.read(o.path("changes")),
                    o.has("units") ? new Start(new Change.Hash(o.path("hash").textValue()), units(o)) : null);
        });
    }

    private static Map<String, Long> units(JsonNode answer) {
        Map<String, Long> units = new HashMap<>();
        answer.path("units")
                .properties()
                .forEach(u -> units.put(u.getKey(), u.getValue().longValue()));
        return units;
    }

    @Override
    public Future<List<Change>> after(long revision, int limit) {
        return ask(PAST, Json.object().put("after", revision), PAST_DEADLINE)
                .map(answer -> ChangeJson.read(Json.read(answer.getBytes())));
    }

    @Override
    public Future<Long> oldest() {
        return ask(OLDEST, Json.object(), PAST_DEADLINE).map(answer -> Long.parseLong(answer.toString()));
    }

    private Future<Buffer> ask(String topic, ObjectNode question, Duration deadline) {
        return cores.ask(topic, Buffer.buffer(Json.bytes(question)), deadline, true);
    }

    /** Prefers another core node from now on, e.g. because the current one lags. */
    void another() {
        cores.another();
    }

    /** Follows the positions that core nodes announce. */
    void follow(CoreBus.Announced announced) {
        cores.follow(announced);
    }
}
