package dev.configservice.facade.ofrep;

import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.credential.StreamTokens;
import dev.configservice.events.ChangeEvent;
import dev.configservice.events.ChangeFilter;
import dev.configservice.events.stream.ChangeStreams;
import dev.configservice.events.stream.StreamForm;
import dev.configservice.flag.Flags;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The event stream of OFREP 0.3. It tells a client that flags of its environment have changed, so that it evaluates them
 * again. A client that reconnects is told whether it has missed anything.
 */
public final class OfrepEvents implements StreamForm {
    static final String PATH = "/events";
    private static final String TOKEN = "stream_token";

    /** A change this long before a stream opens may have come after the evaluation that the client has. */
    private static final Duration MISSED = Duration.ofMinutes(1);

    private static final int RETRY_MILLIS = 1000;
    private static final int RETRY_LATER_MILLIS = 30_000;

    private final ChangeStreams streams;
    private final ChangeFeed feed;
    private final StreamTokens tokens;
    private final String publicPath;
    private final InstantSource clock;

    /**
     * Creates the streams.
     *
     * @param publicPath the path before this service's own paths, as clients know it
     */
    public OfrepEvents(
            ChangeStreams streams, ChangeFeed feed, StreamTokens tokens, String publicPath, InstantSource clock) {
        this.streams = streams;
        this.feed = feed;
        this.tokens = tokens;
        this.publicPath = publicPath;
        this.clock = clock;
    }

    /** Returns the address of the stream of an environment for a caller, as a path and perhaps a query. */
    String address(Caller caller, String environment) {
        String token = tokens.issue(caller, environment);
        return publicPath + "/env/" + environment + "/ofrep/v1" + PATH
                + (token == null ? "" : "?" + TOKEN + "=" + token);
    }

    /** Opens a stream. */
    Future<Void> open(Route.Exchange exchange, String environment) {
        Request request = exchange.request();
        String token = request.query(TOKEN);
        Future<Caller> caller = token == null || !request.caller().isAnonymous()
                ? Future.succeededFuture(request.caller())
                : tokens.caller(token, environment);
        return caller.compose(c -> {
            c.require(Right.READ, environment, "");
            return streams.open(
                    exchange.response(),
                    this,
                    new ChangeFilter.Wanted(
                            environment, null, Flags.unit(environment).kind(), null, null),
                    c,
                    position(request, environment));
        });
    }

    /** Returns the revision after which a client wants to know of changes; null if that is now. */
    private @Nullable Long position(Request request, String environment) {
        String last = request.header("last-event-id");
        if (last != null && last.matches("\\d{1,18}")) {
            return Long.parseLong(last);
        }
        UnitId unit = Flags.unit(environment);
        ChangeFeed.TouchedUnit touched = feed.touched(unit);
        if (touched == null) {
            return null;
        }
        long before = touched.revision() - 1;
        List<Change> changes = feed.recent().ofUnit(unit, before);
        boolean isRecent = changes != null
                && !changes.isEmpty()
                && changes.get(0).occurredAt().plus(MISSED).isAfter(clock.instant());
        return isRecent ? before : null;
    }

    /**
     * Returns the answer for a client that should come again later. It is a stream that ends: any other status makes a
     * client give up for good.
     */
    static Response later() {
        return Response.text("text/event-stream", "retry: " + RETRY_LATER_MILLIS + "\n\n");
    }

    @Override
    public Buffer hello(long revision) {
        int retry = RETRY_MILLIS + ThreadLocalRandom.current().nextInt(2 * RETRY_MILLIS);
        return Buffer.buffer("retry: " + retry + "\nid: " + revision + "\ndata: {\"type\":\"hello\"}\n\n");
    }

    @Override
    public Buffer resync(long revision) {
        return Buffer.buffer("id: " + revision + "\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\"" + revision
                + "\",\"lastModified\":" + clock.instant().getEpochSecond() + "}\n\n");
    }

    /** Returns nothing: which flag has changed does not matter, others may depend on it. */
    @Override
    public @Nullable Buffer change(ChangeEvent event, boolean withActor) {
        return null;
    }

    @Override
    public Buffer heartbeat(long revision, Duration lag, Change.@Nullable Hash chain) {
        return Buffer.buffer(": " + revision + "\n\n");
    }
}
