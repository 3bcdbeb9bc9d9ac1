package dev.configservice.facade.ofrep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.flag.EvaluationResult;
import dev.configservice.flag.Flags;
import dev.configservice.flag.RenderedEvaluation;
import dev.configservice.flag.eval.EvaluationContext;
import dev.configservice.flag.eval.Trace;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.ChangeFeed;
import dev.configservice.secret.Sha256;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The routes of OFREP 0.3: the evaluation of one flag, and of all flags of an environment, and the stream that tells that
 * some have changed. The environment is that of the path ({@code /env/{environment}/ofrep/v1}), else the only one that the caller's key is limited to, else the default.
 */
public final class OfrepRoutes implements Routes {
    private static final Logger log = LoggerFactory.getLogger(OfrepRoutes.class);
    private static final Duration BEHIND_DEADLINE = Duration.ofSeconds(2);
    private static final int TAG_LENGTH = 22;

    /** A client may send any parameter; those that are not known are ignored. */
    private static final Map<String, StringRule> ANY = Map.of("*", StringRule.ANY);

    private final Flags flags;
    private final ChangeFeed feed;
    private final OfrepEvents events;

    /** Creates the routes over the evaluation of flags. */
    public OfrepRoutes(Flags flags, ChangeFeed feed, OfrepEvents events) {
        this.flags = flags;
        this.feed = feed;
        this.events = events;
    }

    @Override
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        for (String root : OfrepDialect.INSTANCE.roots()) {
            routes.add(route("POST", root + "/evaluate/flags/:key").answeredBy(this::one));
            routes.add(route("POST", root + "/evaluate/flags").answeredBy(this::all));
            routes.add(route("GET", root + OfrepEvents.PATH)
                    .opening(exchange -> events.open(exchange, environment(exchange.request()))));
        }
        return routes;
    }

    private static Route.Facade route(String method, String path) {
        return new Route.Facade(method, path, ANY, OfrepDialect.INSTANCE);
    }

    private Future<Response> one(Request request) {
        String environment = environment(request);
        request.caller().require(Right.READ, environment, "");
        return flags.evaluate(
                        environment,
                        request.parameter("key"),
                        context(request),
                        log.isDebugEnabled(),
                        request.minRevision())
                .map(result -> {
                    explain(request, environment, result);
                    OfrepItem item = OfrepItem.of(result.evaluations().get(0));
                    return answer(
                            result,
                            new Response(
                                    item.status(),
                                    Response.JSON,
                                    item.json(),
                                    0,
                                    null,
                                    false,
                                    false,
                                    false,
                                    List.of()));
                });
    }

    /** Logs the steps of an evaluation at the level debug: OFREP has no place for them in its answer. */
    private static void explain(Request request, String environment, EvaluationResult result) {
        Trace trace = result.trace();
        if (trace != null) {
            log.debug(
                    "ofrep.evaluated request_id={} environment={} flag={} reason={} steps={}",
                    request.id(),
                    environment,
                    request.parameter("key"),
                    result.evaluations().get(0).evaluation().reason(),
                    trace.steps().stream()
                            .map(step -> step.step() + ": " + step.result())
                            .toList());
        }
    }

    private Future<Response> all(Request request) {
        String environment = environment(request);
        request.caller().require(Right.READ, environment, "");
        EvaluationContext context = context(request);
        return reached(request)
                .compose(v -> flags.evaluateAll(environment, null, context, request.minRevision()))
                .map(result -> {
                    Buffer body = body(result, events.address(request.caller(), environment));
                    String tag = tag(body);
                    return answer(
                            result,
                            isKnown(request.header("if-none-match"), tag)
                                    ? Response.empty(304).tagged(tag)
                                    : Response.ready(Response.JSON, body).tagged(tag));
                });
    }

    private static Response answer(EvaluationResult result, Response response) {
        return response.asOf(result.asOf(), result.outdated());
    }

    /** Waits for the revision of the event that made the client ask again. */
    private Future<Void> reached(Request request) {
        String etag = request.query("flagConfigEtag");
        if (etag == null || !etag.matches("\\d{1,18}")) {
            return Future.succeededFuture();
        }
        long revision = Long.parseLong(etag);
        return feed.applied().revision() >= revision
                ? Future.succeededFuture()
                : feed.awaitApplied(revision, BEHIND_DEADLINE);
    }

    private static Buffer body(EvaluationResult result, String stream) {
        List<RenderedEvaluation> sorted = new ArrayList<>(result.evaluations());
        // a stable order, so that the same answers have the same tag
        sorted.sort(Comparator.comparing(e -> e.evaluation().flagName()));
        Buffer body = Buffer.buffer("{\"flags\":[");
        for (int i = 0; i < sorted.size(); i++) {
            body.appendString(i > 0 ? "," : "")
                    .appendBuffer(OfrepItem.of(sorted.get(i)).json());
        }
        // neither the address nor its token needs an escape in JSON
        return body.appendString("],\"eventStreams\":[{\"type\":\"sse\",\"endpoint\":{\"requestUri\":\"")
                .appendString(stream)
                .appendString("\"}}]}");
    }

    /** Returns a tag of the answer itself: with another context, the same flags have other values. */
    private static String tag(Buffer body) {
        MessageDigest sha = Sha256.digest();
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(sha.digest(body.getBytes()))
                .substring(0, TAG_LENGTH);
    }

    private static boolean isKnown(@Nullable String ifNoneMatch, String tag) {
        if (ifNoneMatch == null) {
            return false;
        }
        for (String given : ifNoneMatch.split(",", -1)) {
            String known = given.strip();
            known = known.startsWith("W/") ? known.substring(2) : known;
            known = known.startsWith("\"") && known.endsWith("\"") && known.length() > 1
                    ? known.substring(1, known.length() - 1)
                    : known;
            known = known.endsWith("-gz") ? known.substring(0, known.length() - 3) : known;
            if (known.equals("*") || known.equals(tag)) {
                return true;
            }
        }
        return false;
    }

    private String environment(Request request) {
        String named = request.parameters().get("environment");
        if (named != null) {
            String problem = StringRule.NAME.problem(named);
            if (problem != null) {
                throw OfrepDialect.failure(ErrorCode.INVALID, "GENERAL", "The environment in the path " + problem);
            }
            return named;
        }
        String only = request.caller().environments().only();
        return only == null ? flags.defaultEnvironment() : only;
    }

    private static EvaluationContext context(Request request) {
        if (request.body().length() == 0) {
            return Flags.context(null, null);
        }
        JsonNode body;
        try {
            body = Json.parseBody(request.body().getBytes());
        } catch (ServiceException e) {
            throw OfrepDialect.failure(ErrorCode.MALFORMED_BODY, "PARSE_ERROR", String.valueOf(e.getMessage()));
        }
        if (!body.isObject()) {
            throw OfrepDialect.failure(ErrorCode.MALFORMED_BODY, "PARSE_ERROR", "The body must be a JSON object");
        }
        JsonNode context = body.path("context");
        if (context.isMissingNode() || context.isNull()) {
            return Flags.context(null, null);
        }
        if (!(context instanceof ObjectNode attributes)) {
            throw OfrepDialect.failure(ErrorCode.INVALID, "INVALID_CONTEXT", "context must be an object");
        }
        JsonNode key = attributes.path("targetingKey");
        String problem = key.isTextual() ? Flags.userProblem(key.textValue()) : null;
        if (problem != null || !(key.isTextual() || key.isNull() || key.isMissingNode())) {
            throw OfrepDialect.failure(
                    ErrorCode.INVALID,
                    "INVALID_CONTEXT",
                    "targetingKey " + (problem == null ? "must be a string" : problem));
        }
        attributes.remove("targetingKey");
        return Flags.context(key.textValue(), attributes);
    }
}
