package dev.configservice.events.stream;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.events.ChangeEvents;
import dev.configservice.events.ChangeFilter;
import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.Ids;
import dev.configservice.log.ResourceKind;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The routes of changes: in pages, by long poll, and as a stream. */
public final class ChangeRoutes implements Routes {
    /** An id, or that of an instance: the names of its service and its own. */
    private static final StringRule RESOURCE_ID = StringRule.text(1, 400);

    private static final StringRule KEY_PREFIX = StringRule.text(1, 255);
    private static final StringRule POSITION = StringRule.pattern("\\d{1,18}", "must be a revision: a whole number");
    private static final Duration APPLIED_DEADLINE = Duration.ofSeconds(2);

    private final ChangeFeed feed;
    private final ChangeReader reader;
    private final ChangeStreams streams;
    private final ChangeEvents events;

    public ChangeRoutes(ChangeFeed feed, ChangeReader reader, ChangeStreams streams, ChangeEvents events) {
        this.feed = feed;
        this.reader = reader;
        this.streams = streams;
        this.events = events;
    }

    @Override
    public List<Route> routes() {
        return List.of(
                Route.stream("/changes/stream", this::stream)
                        .needs(Right.READ)
                        .with(filters(Map.of("after", POSITION, Route.ACCESS_TOKEN, StringRule.ANY))),
                Route.api("GET", "/changes", this::changes)
                        .needs(Right.READ)
                        .with(filters(
                                Map.of("after", POSITION, "limit", Page.SIZE, "wait", StringRule.number(0, 60)))));
    }

    private Map<String, StringRule> filters(Map<String, StringRule> others) {
        Map<String, StringRule> all = new HashMap<>(others);
        all.put("environment", StringRule.NAME);
        all.put("service_name", StringRule.NAME);
        all.put("resource_type", StringRule.oneOf(events.kinds().names(ResourceKind::isPublic)));
        all.put("resource_id", RESOURCE_ID);
        all.put("key_prefix", KEY_PREFIX);
        return all;
    }

    private static ChangeFilter.Wanted wanted(Request request) {
        String id = request.query("resource_id");
        return new ChangeFilter.Wanted(
                request.query("environment"),
                request.query("service_name"),
                request.query("resource_type"),
                id == null || !Ids.isId(id) ? id : id.toLowerCase(Locale.ROOT),
                request.query("key_prefix"));
    }

    private Future<Void> stream(Route.Exchange exchange) {
        Request request = exchange.request();
        return streams.open(exchange.response(), StreamForm.OWN, wanted(request), request.caller(), position(request));
    }

    private static @Nullable Long position(Request request) {
        String last = request.header("last-event-id");
        String after = request.query("after");
        String text = last == null || last.isEmpty() ? after : last;
        if (text == null) {
            return null;
        }
        String problem = POSITION.problem(text);
        if (problem != null) {
            throw ServiceException.invalid("Last-Event-ID", problem);
        }
        return Long.parseLong(text);
    }

    private Future<Response> changes(Request request) {
        ChangeFilter filter = ChangeFilter.of(events.kinds(), wanted(request), request.caller());
        long after = request.number("after", 0);
        int limit = (int) request.number("limit", Page.DEFAULT);
        Duration wait = Duration.ofSeconds(request.number("wait", 0));
        return known(after)
                .compose(v -> streams.scan(filter::matches, after, limit))
                .compose(scan -> {
                    if (!scan.found().isEmpty()
                            || wait.isZero()
                            || scan.scannedTo() < feed.applied().revision()) {
                        return Future.succeededFuture(scan);
                    }
                    // register first, then scan again: a change that arrives in between is not missed
                    Future<Void> first = streams.firstMatch(filter, wait, request.gone());
                    return streams.scan(filter::matches, scan.scannedTo(), limit)
                            .compose(again -> again.found().isEmpty()
                                    ? first.compose(v -> streams.scan(filter::matches, again.scannedTo(), limit))
                                    : Future.succeededFuture(again));
                })
                .map(scan -> answer(request, scan));
    }

    /** Fails with {@link ErrorCode#GONE} if the log does not hold the changes after a revision. */
    private Future<Void> known(long after) {
        return feed.awaitApplied(after, APPLIED_DEADLINE).transform(done -> {
            if (done.failed()) {
                return gone(
                        "Revision " + after + " is ahead of the log",
                        feed.applied().revision());
            }
            if (feed.recent().after(after, 1) != null) {
                return Future.succeededFuture();
            }
            return reader.oldest()
                    .compose(oldest -> after + 1 < oldest && after > 0
                            ? gone("The log begins at revision " + oldest, oldest)
                            : Future.succeededFuture());
        });
    }

    private static Future<Void> gone(String detail, long oldest) {
        return Future.failedFuture(
                new ServiceException(ErrorCode.GONE, detail, List.of(), Map.of("oldest_revision", oldest)));
    }

    private Response answer(Request request, ChangeStreams.Scan scan) {
        boolean withActor = request.caller().has(Right.AUDIT_READ);
        ObjectNode body = Json.object();
        ArrayNode items = body.putArray("items");
        scan.found().forEach(c -> items.add(events.of(c).json(withActor)));
        body.put("last_revision", scan.scannedTo());
        return Response.json(200, body);
    }
}
