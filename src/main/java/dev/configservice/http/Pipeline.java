package dev.configservice.http;

import dev.configservice.access.Authenticator;
import dev.configservice.access.Caller;
import dev.configservice.cluster.NodeState;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.vertx.Futures;
import dev.configservice.vertx.Turns;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps that every request of a route passes, in this order: authentication and the route's right, the query
 * parameters, the wait for the revision that the request asks for, the body, the route's handler, and the headers that
 * every response carries.
 */
final class Pipeline {
    private static final Logger log = LoggerFactory.getLogger(Pipeline.class);
    private static final Duration MIN_REVISION_DEADLINE = Duration.ofSeconds(2);
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._:/+=-]{1,128}");
    private static final Buffer NO_BODY = Buffer.buffer();
    private static final CharSequence X_REQUEST_ID = HttpHeaders.createOptimized("X-Request-Id");
    private static final CharSequence X_CONFIG_REVISION = HttpHeaders.createOptimized("X-Config-Revision");
    private static final CharSequence X_MIN_REVISION = HttpHeaders.createOptimized("X-Min-Revision");
    private static final CharSequence NO_CACHE = HttpHeaders.createOptimized("no-cache");
    private static final CharSequence NO_STORE = HttpHeaders.createOptimized("no-store");
    private static final CharSequence PRIVATE = HttpHeaders.createOptimized("private, no-cache");
    private static final CharSequence VARY = HttpHeaders.createOptimized("Authorization, X-API-Key, Accept-Encoding");
    private static final CharSequence VARY_ORIGIN =
            HttpHeaders.createOptimized("Authorization, X-API-Key, Accept-Encoding, Origin");
    private static final int UUID_LENGTH = 36;
    private static final int COUNT_DIGITS = 12;
    private static final long COUNT_FROM = 1L << (4 * COUNT_DIGITS);
    private static final String MIN_REVISION = "min_revision";
    private static final String ANY_OTHER = "*";
    private static final String WEAK = "W/";
    /** The end of the tag of a compressed answer. */
    private static final String GZIPPED = "-gz";

    private static final StringRule REVISION = StringRule.pattern("\\d{1,18}", "must be a revision: a whole number");

    private final Authenticator authenticator;
    private final CharSequence vary;
    private final List<String> corsOrigins;
    private final ChangeFeed feed;
    private final NodeState state;
    private final Bodies bodies;
    private final Turns largeBodies;
    private final Answers answers;
    private final String requestIdPrefix;
    private long requests;
    private final RefusalLog refusals = new RefusalLog();
    private final ServerContext.Denials denials;
    private final AddressLimit streams;

    Pipeline(ServerContext server, Bodies bodies, Answers answers, List<String> corsOrigins) {
        this.corsOrigins = corsOrigins;
        this.bodies = bodies;
        this.answers = answers;
        this.state = server.state();
        this.denials = server.denials();
        this.streams = server.streams();
        this.largeBodies = server.largeBodies();
        this.requestIdPrefix = server.ids().next().toString().substring(0, UUID_LENGTH - COUNT_DIGITS);
        this.authenticator = server.authenticator();
        this.feed = server.feed();
        this.vary = corsOrigins.isEmpty() ? VARY : VARY_ORIGIN;
    }

    void run(RequestContext call, Route route, RouteMetrics metrics, Function<Request, Future<Response>> handler) {
        call.dialect = route.dialect();
        if (route.takesBody()) {
            call.request.pause();
        }
        Future<Response> answer = Futures.then(
                head(call, route),
                head -> route.takesBody()
                        ? body(call.request, route, head.caller())
                                .compose(body -> body.length() > Bodies.LARGE_BYTES
                                        ? largeBodies.take(
                                                body.length(), () -> Futures.here(handler.apply(head.with(body))))
                                        : Futures.here(handler.apply(head.with(body))))
                        : Futures.here(handler.apply(head.with(NO_BODY))));
        if (answer.succeeded()) {
            send(call, metrics, answer.result());
            return;
        }
        answer.onComplete(done -> {
            if (done.succeeded()) {
                send(call, metrics, done.result());
            } else {
                fail(call, metrics, done.cause());
            }
        });
    }

    private Future<Head> head(RequestContext call, Route route) {
        try {
            return Futures.here(prepare(call, route));
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    void stream(
            RequestContext call, Route route, RouteMetrics metrics, Function<Route.Exchange, Future<Void>> handler) {
        call.dialect = route.dialect();
        call.request.pause();
        head(call, route)
                .compose(head -> {
                    call.request.resume();
                    HttpServerResponse response = call.request.response();
                    response.headers().set(HttpHeaders.VARY, vary);
                    if (!feed.staleness().isZero()) {
                        response.putHeader(
                                "X-Config-Stale",
                                Long.toString(Math.max(1, feed.staleness().toSeconds())));
                    }
                    response.putHeader("X-Request-Id", requestId(call));
                    response.putHeader(
                            "X-Config-Revision", Long.toString(feed.applied().revision()));
                    response.putHeader("Content-Type", "text/event-stream");
                    response.putHeader("Cache-Control", "no-store");
                    // proxies must not buffer it
                    response.putHeader("X-Accel-Buffering", "no");
                    if (call.isHead()) {
                        call.connection.ended();
                        return response.end();
                    }
                    String address = call.connection.remoteAddress();
                    if (!streams.enter(address)) {
                        return Future.failedFuture(new ServiceException(
                                ErrorCode.TOO_MANY,
                                "Your address is at its limit for streams (http.max-streams-per-address)"));
                    }
                    call.connection.streams();
                    response.endHandler(v -> {
                        streams.leave(address);
                        call.connection.ended();
                    });
                    return handler.apply(new Route.Exchange(head.with(Buffer.buffer()), response));
                })
                .onComplete(done -> {
                    if (done.failed() && !call.request.response().headWritten()) {
                        clear(call.request.response());
                        fail(call, metrics, done.cause());
                    } else {
                        metrics.record(200, elapsed(call));
                    }
                });
    }

    /** A request whose body has not been read yet. */
    private record Head(
            String id,
            String method,
            String path,
            Map<String, String> parameters,
            Map<String, String> query,
            MultiMap headers,
            Caller caller,
            long minRevision,
            String remoteAddress,
            BooleanSupplier gone) {
        Request with(Buffer body) {
            return new Request(
                    id, method, path, parameters, query, headers, body, caller, minRevision, remoteAddress, gone);
        }
    }

    private Future<Head> prepare(RequestContext call, Route route) {
        HttpServerRequest request = call.request;
        String carrier = route.parameters().containsKey(Route.ACCESS_TOKEN)
                ? Route.ACCESS_TOKEN
                : route.dialect().queryCarrier();
        String token = carrier == null ? null : first(parameters(request), carrier);
        String authorization = Carriers.of(route.dialect(), request.headers(), token);
        call.isPrivate = authorization != null;
        if (authorization != null && !call.isRead()) {
            Carriers.refuseForeignWrites(request.headers(), corsOrigins);
        }
        return Futures.then(authenticator.authenticate(authorization), caller -> {
            call.actor = caller.actor();
            if (route.right() != null) {
                caller.require(route.right());
            }
            Map<String, String> query = query(request, route.parameters());
            MultiMap headers = request.headers();
            long min = minRevision(headers, query);
            if (!query.isEmpty()) {
                query.remove(MIN_REVISION);
            }
            Head head = new Head(
                    requestId(call),
                    request.method().name(),
                    request.path(),
                    call.parameters,
                    query,
                    headers,
                    caller,
                    min,
                    call.connection.remoteAddress(),
                    () -> request.response().closed());
            Future<Void> applied = feed.applied().revision() >= min
                    ? Future.succeededFuture()
                    : feed.awaitApplied(min, MIN_REVISION_DEADLINE);
            return Futures.map(applied, v -> {
                call.applied = feed.applied().revision();
                return head;
            });
        });
    }

    private static Map<String, String> query(HttpServerRequest request, Map<String, StringRule> known) {
        String header = request.getHeader(X_MIN_REVISION);
        if (request.query() == null && header == null) {
            return Map.of();
        }
        Map<String, String> query = new HashMap<>();
        List<FieldError> errors = new ArrayList<>();
        for (Map.Entry<String, String> p : parameters(request)) {
            String name = p.getKey();
            String shown = Json.textProblem(name) == null && name.length() <= 100 ? name : "(a parameter)";
            StringRule rule = name.equals(MIN_REVISION) ? REVISION : rule(known, name);
            if (rule == null) {
                errors.add(new FieldError(
                        shown,
                        "is not a parameter of this route"
                                + (known.isEmpty() ? "" : " (known: " + sorted(known.keySet()) + ")")));
                continue;
            }
            String problem = Json.textProblem(p.getValue());
            problem = problem == null ? rule.problem(p.getValue()) : problem;
            if (problem != null) {
                errors.add(new FieldError(shown, problem));
            } else if (known.containsKey(ANY_OTHER)) {
                // the protocols of other systems have parameters that repeat
                query.merge(name, p.getValue(), (one, more) -> one + "\n" + more);
            } else if (query.put(name, p.getValue()) != null) {
                errors.add(new FieldError(shown, "is given twice"));
            }
        }
        String problem = header == null ? null : REVISION.problem(header);
        if (problem != null) {
            errors.add(new FieldError("X-Min-Revision", problem));
        }
        if (!errors.isEmpty()) {
            throw ServiceException.invalid(errors);
        }
        return query;
    }

    private static @Nullable StringRule rule(Map<String, StringRule> known, String name) {
        StringRule rule = known.get(name);
        if (rule != null) {
            return rule;
        }
        for (Map.Entry<String, StringRule> k : known.entrySet()) {
            String prefix = k.getKey().endsWith("*")
                    ? k.getKey().substring(0, k.getKey().length() - 1)
                    : null;
            if (prefix != null && (prefix.isEmpty() || name.length() > prefix.length()) && name.startsWith(prefix)) {
                return k.getValue();
            }
        }
        return null;
    }

    private static Iterable<Map.Entry<String, String>> parameters(HttpServerRequest request) {
        String plain = request.query();
        if (plain == null) {
            return List.of();
        }
        if (plain.indexOf('%') < 0 && plain.indexOf('+') < 0 && plain.indexOf(';') < 0) {
            return plainParameters(plain);
        }
        try {
            return request.params(true);
        } catch (IllegalArgumentException e) {
            throw ServiceException.invalid(
                    "query", "is not well-formed (a percent sign must be followed by two hexadecimal digits)");
        }
    }

    /** Splits a query that needs no decoding. */
    private static List<Map.Entry<String, String>> plainParameters(String query) {
        List<Map.Entry<String, String>> parameters = new ArrayList<>(4);
        int from = 0;
        while (from < query.length()) {
            int end = query.indexOf('&', from);
            end = end < 0 ? query.length() : end;
            int equals = query.indexOf('=', from);
            if (end > from) {
                parameters.add(
                        equals < 0 || equals > end
                                ? Map.entry(query.substring(from, end), "")
                                : Map.entry(query.substring(from, equals), query.substring(equals + 1, end)));
            }
            from = end + 1;
        }
        return parameters;
    }

    private static @Nullable String first(Iterable<Map.Entry<String, String>> parameters, String name) {
        for (Map.Entry<String, String> p : parameters) {
            if (p.getKey().equals(name)) {
                return p.getValue();
            }
        }
        return null;
    }

    private static String sorted(Set<String> known) {
        return String.join(", ", known.stream().sorted().toList());
    }

    private static long minRevision(MultiMap headers, Map<String, String> query) {
        String header = headers.get(X_MIN_REVISION);
        String text = header == null ? query.get(MIN_REVISION) : header;
        return text == null ? 0 : Long.parseLong(text);
    }

    private Future<Buffer> body(HttpServerRequest request, Route route, Caller caller) {
        Dialect dialect = route.dialect();
        String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            request.resume();
            return Future.failedFuture(new ServiceException(
                    ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body may not be compressed (Content-Encoding)"));
        }
        if (!dialect.accepts(request.getHeader("Content-Type"))) {
            request.resume();
            return Future.failedFuture(
                    new ServiceException(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be " + dialect.accepted()));
        }
        return bodies.receive(request, caller.isAnonymous(), route.maxBody());
    }

    private static long elapsed(RequestContext call) {
        return System.nanoTime() - call.startedNanos;
    }

    private String requestId(RequestContext call) {
        String id = call.id;
        if (id == null) {
            String given = call.request.getHeader(X_REQUEST_ID);
            id = given != null && REQUEST_ID.matcher(given).matches() ? given : newRequestId();
            call.id = id;
        }
        return id;
    }

    /** Returns a request id that is unique on all nodes, as a UUID: a random prefix per event loop, then a counter. */
    private String newRequestId() {
        String count = Long.toHexString(COUNT_FROM + requests++);
        return requestIdPrefix + count.substring(count.length() - COUNT_DIGITS);
    }

    /** Answers a request that is not well-formed HTTP. Nothing more can be read from its connection. */
    void refuseMalformed(RequestContext call, RouteMetrics metrics, ServiceException e) {
        call.request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        refuse(call, metrics, e, null);
        // takes effect after the response that has been written
        call.request.connection().close();
    }

    /** Answers {@code OPTIONS *}: the methods that some path allows. */
    void options(RequestContext call, RouteMetrics metrics) {
        call.request.resume();
        send(call, metrics, Response.empty(204).header("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    }

    /** Answers a request that matches no route. */
    void refuse(RequestContext call, RouteMetrics metrics, ServiceException e, @Nullable String allow) {
        call.request.resume();
        Response answer = call.dialect.error(e, String.valueOf(call.request.path()), requestId(call));
        send(call, metrics, allow == null ? answer : answer.header("Allow", allow));
    }

    void fail(RequestContext call, RouteMetrics metrics, Throwable cause) {
        ServiceException e;
        if (cause instanceof ServiceException known) {
            e = known;
            if (e.code() == ErrorCode.UNAUTHENTICATED || e.code() == ErrorCode.FORBIDDEN) {
                refusals.log(e, call.request.path(), call.request.remoteAddress());
                denials.note(call.actor, call.connection.remoteAddress(), Problems.status(e.code()), refused(e));
            }
            log.debug("http.refused code={} path={} detail={}", e.code(), call.request.path(), e.getMessage());
        } else {
            log.error("http.failed request_id={} path={}", requestId(call), call.request.path(), cause);
            e = new ServiceException(ErrorCode.INTERNAL, "The service failed; see its log for this request id");
        }
        HttpServerRequest request = call.request;
        boolean unread = e.code() == ErrorCode.TOO_LARGE || !request.isEnded();
        request.resume();
        Response answer = call.dialect.error(e, String.valueOf(request.path()), requestId(call));
        send(call, metrics, unread && hasBody(request) ? answer.header("Connection", "close") : answer);
        if (e.code() == ErrorCode.REQUEST_TIMEOUT || e.code() == ErrorCode.TOO_MANY) {
            Bodies.closeUnlessArrived(request);
        }
    }

    /** Returns what a refused request lacked: the right that it names, or a credential. */
    private static String refused(ServiceException e) {
        Object right = e.members().get("missing_right");
        return right == null ? e.code().type() : right.toString();
    }

    private static boolean hasBody(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        return request.getHeader("Transfer-Encoding") != null || (length != null && !length.equals("0"));
    }

    private void send(RequestContext call, RouteMetrics metrics, Response answer) {
        HttpServerResponse response = call.request.response();
        if (response.ended() || response.closed()) {
            return;
        }
        int status = answer.status();
        MultiMap headers = response.headers();
        headers.add(X_REQUEST_ID, requestId(call));
        boolean isHead = call.isHead();
        // the revision before the route's handler ran: the data in the response is at least as new
        long applied = call.applied < 0 ? feed.applied().revision() : call.applied;
        long revision =
                answer.isExact() || answer.outdated() ? answer.revision() : Math.max(applied, answer.revision());
        headers.add(X_CONFIG_REVISION, Long.toString(revision));
        Duration stale = feed.staleness();
        if (!stale.isZero() || answer.outdated()) {
            response.putHeader("X-Config-Stale", Long.toString(Math.max(1, stale.toSeconds())));
        }
        headers.add(HttpHeaders.CACHE_CONTROL, answer.secret() ? NO_STORE : call.isPrivate ? PRIVATE : NO_CACHE);
        headers.set(HttpHeaders.VARY, vary);
        Buffer body = answer.body();
        boolean compressed = body != null
                && Gzip.isFor(body.length())
                && !answer.secret()
                && !isEncoded(answer)
                && Gzip.isAccepted(call.request.getHeader(HttpHeaders.ACCEPT_ENCODING));
        if (answer.etag() != null) {
            headers.add(HttpHeaders.ETAG, quoted(answer.etag(), compressed));
            if (call.isRead()
                    && status == 200
                    && matches(call.request.getHeader(HttpHeaders.IF_NONE_MATCH), answer.etag())) {
                status = 304;
            }
        }
        for (Map.Entry<String, String> h : answer.headers()) {
            if (h.getKey().equals("Cache-Control")) {
                // a file whose name changes with its content
                headers.set(HttpHeaders.CACHE_CONTROL, h.getValue());
            } else {
                headers.add(h.getKey(), h.getValue());
            }
        }
        if (state.isLeaving()) {
            // this node is shutting down: the client must send its next request to another node
            headers.set(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
        response.setStatusCode(status);
        if (body == null || status == 304) {
            finish(call, metrics, NO_BODY, status);
        } else {
            if (answer.contentType() != null) {
                headers.add(HttpHeaders.CONTENT_TYPE, answer.contentType());
            }
            if (compressed) {
                headers.add(HttpHeaders.CONTENT_ENCODING, "gzip");
                body = Gzip.compress(body);
            }
            if (isHead) {
                response.putHeader("Content-Length", Integer.toString(body.length()));
                finish(call, metrics, NO_BODY, status);
            } else {
                finish(call, metrics, body, status);
            }
        }
    }

    /** Ends a response whose head is complete. If there is no room for its body, the client gets a short refusal instead. */
    private void finish(RequestContext call, RouteMetrics metrics, Buffer body, int status) {
        HttpServerResponse response = call.request.response();
        boolean room = answers.send(response, () -> call.request.connection().close(), body, !call.isPrivate, () -> {
            call.connection.ended();
            metrics.record(status, elapsed(call));
        });
        if (!room) {
            clear(response);
            fail(
                    call,
                    metrics,
                    new ServiceException(
                            ErrorCode.TOO_MANY,
                            "This node is at its limit for bytes of responses that were not read, retry later"));
        }
    }

    /** Removes the headers of an answer that another one takes the place of, but not those by which a browser may read it. */
    private static void clear(HttpServerResponse response) {
        for (String name : List.copyOf(response.headers().names())) {
            if (!name.toLowerCase(Locale.ROOT).startsWith("access-control-")) {
                response.headers().remove(name);
            }
        }
    }

    private static boolean isEncoded(Response answer) {
        return answer.headers().stream().anyMatch(h -> h.getKey().equalsIgnoreCase("Content-Encoding"));
    }

    private static boolean matches(@Nullable String ifNoneMatch, String etag) {
        if (ifNoneMatch == null) {
            return false;
        }
        String opaque = opaque(etag);
        for (String tag : ifNoneMatch.split(",", -1)) {
            String t = opaque(tag.strip());
            if (t.equals("*") || t.equals("\"" + opaque + "\"") || t.equals("\"" + opaque + GZIPPED + "\"")) {
                return true;
            }
        }
        return false;
    }

    private static String opaque(String etag) {
        return etag.startsWith(WEAK) ? etag.substring(WEAK.length()) : etag;
    }

    private static String quoted(String etag, boolean compressed) {
        String end = compressed ? GZIPPED + "\"" : "\"";
        return etag.startsWith(WEAK) ? WEAK + "\"" + opaque(etag) + end : "\"" + etag + end;
    }
}
