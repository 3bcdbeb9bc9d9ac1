package dev.configservice.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Authenticator;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Carriers;
import dev.configservice.http.Forwarder;
import dev.configservice.http.Request;
import dev.configservice.http.Response;
import dev.configservice.http.Route;
import dev.configservice.http.Routes;
import dev.configservice.json.Json;
import dev.configservice.log.ChangeFeed;
import dev.configservice.secret.Keyring;
import dev.configservice.secret.Sealed;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The forwarding of requests that need the log, which an edge does not have. The edge sends such a request to a core
 * node, which runs the same route. Both nodes authenticate the caller. If there is a keyset, requests and responses are
 * sealed with it, so that neither a value that will be encrypted nor a caller's key is sent in the clear.
 */
public final class CoreRequests implements Forwarder {
    private static final String TOPIC = "request";
    private static final String QUESTION = "config-service.request";
    private static final String ANSWER = "config-service.answer";
    private static final Duration WRITE_DEADLINE = Duration.ofSeconds(8);
    private static final Duration READ_DEADLINE = Duration.ofSeconds(4);
    private static final Duration APPLIED_DEADLINE = Duration.ofSeconds(2);
    /** The headers that a route may read. */
    private static final List<String> HEADERS =
            List.of("authorization", Carriers.API_KEY, "x-consul-token", "if-match", "idempotency-key");

    private static final byte CLEAR = 0;
    private static final byte SEALED = 1;

    private final CoreBus cores;
    private final ChangeFeed feed;
    private final Keyring keyring;

    public CoreRequests(CoreBus cores, ChangeFeed feed, Keyring keyring) {
        this.cores = cores;
        this.feed = feed;
        this.keyring = keyring;
    }

    /** Answers the requests that edges forward, with those routes of the features that need the log. */
    public void serve(Authenticator authenticator, List<Routes> features) {
        Map<String, Route> routes = new HashMap<>();
        for (Routes feature : features) {
            for (Route route : feature.routes()) {
                if (route.needsLog() || route.readsPast()) {
                    routes.put(route.name(), route);
                }
            }
        }
        cores.serve(TOPIC, question -> {
            Envelope envelope = Envelope.of(open(QUESTION, question));
            Route route = routes.get(envelope.head().path("route").asText());
            if (route == null || !(route.handler() instanceof Route.Handler.Answering answering)) {
                throw ServiceException.unavailable("This core node does not know the route");
            }
            return run(authenticator, route, answering.answer(), envelope)
                    .map(answer -> close(ANSWER, question.getByte(0), write(answer)));
        });
    }

    private Future<Response> run(
            Authenticator authenticator, Route route, Function<Request, Future<Response>> answer, Envelope envelope) {
        JsonNode head = envelope.head();
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        head.path("headers")
                .properties()
                .forEach(h -> headers.add(h.getKey(), h.getValue().textValue()));
        long min = head.path("min_revision").longValue();
        return feed.awaitApplied(min, APPLIED_DEADLINE)
                .compose(v -> authenticator.authenticate(credential(route, headers, head)))
                .compose(caller -> {
                    if (route.right() != null) {
                        caller.require(route.right());
                    }
                    return answer.apply(new Request(
                            head.path("id").asText(),
                            head.path("method").asText(),
                            head.path("path").asText(),
                            texts(head.path("parameters")),
                            texts(head.path("query")),
                            headers,
                            envelope.body(),
                            caller,
                            min,
                            head.path("remote_address").asText(),
                            () -> false));
                });
    }

    private static @Nullable String credential(Route route, MultiMap headers, JsonNode head) {
        String carrier = route.dialect().queryCarrier();
        return Carriers.of(
                route.dialect(),
                headers,
                carrier == null ? null : head.path("query").path(carrier).textValue());
    }

    private static Map<String, String> texts(JsonNode object) {
        Map<String, String> texts = new HashMap<>();
        object.properties().forEach(p -> texts.put(p.getKey(), p.getValue().textValue()));
        return texts;
    }

    /**
     * Forwards a request. After a write, waits for a short time until this node has applied it, so that the caller can
     * read here what it wrote.
     */
    @Override
    public Future<Response> forward(String route, Function<Request, Future<Response>> handler, Request request) {
        boolean isRead = request.method().equals("GET") || request.method().equals("HEAD");
        return cores.ask(
                        TOPIC,
                        close(QUESTION, keyring.isPresent() ? SEALED : CLEAR, write(route, request)),
                        isRead ? READ_DEADLINE : WRITE_DEADLINE,
                        isRead)
                .map(answer -> opened(answer, isRead))
                .compose(answer -> answer.isExact()
                        ? feed.awaitApplied(answer.revision(), APPLIED_DEADLINE)
                                .otherwiseEmpty()
                                .map(answer)
                        : Future.succeededFuture(answer));
    }

    /**
     * Opens the response of a core node. Keysets differ between nodes while they are being replaced. If the response
     * cannot be opened for that reason, the outcome of a write is unknown.
     */
    private Response opened(Buffer answer, boolean isRead) {
        try {
            return read(open(ANSWER, answer));
        } catch (ServiceException e) {
            throw isRead
                    ? e
                    : new ServiceException(
                            ErrorCode.OUTCOME_UNKNOWN,
                            "The core node answered, but its response could not be opened: " + e.getMessage());
        }
    }

    private Buffer write(String route, Request request) {
        ObjectNode head = Json.object()
                .put("route", route)
                .put("id", request.id())
                .put("method", request.method())
                .put("path", request.path())
                // the core node must have applied every change that this edge has already shown
                .put(
                        "min_revision",
                        Math.max(request.minRevision(), feed.applied().revision()))
                .put("remote_address", request.remoteAddress());
        head.set("parameters", Json.tree(request.parameters()));
        head.set("query", Json.tree(request.query()));
        ObjectNode headers = head.putObject("headers");
        for (String name : HEADERS) {
            String value = request.header(name);
            if (value != null) {
                headers.put(name, value);
            }
        }
        return new Envelope(head, request.body()).toBuffer();
    }

    private static Buffer write(Response answer) {
        ObjectNode head = Json.object()
                .put("status", answer.status())
                .put("type", answer.contentType())
                .put("revision", answer.revision())
                .put("etag", answer.etag())
                .put("secret", answer.secret())
                .put("outdated", answer.outdated())
                .put("wrote", answer.isExact())
                .put("empty", answer.body() == null);
        ArrayNode headers = head.putArray("headers");
        answer.headers().forEach(h -> headers.addArray().add(h.getKey()).add(h.getValue()));
        Buffer body = answer.body();
        return new Envelope(head, body == null ? Buffer.buffer() : body).toBuffer();
    }

    private static Response read(Buffer buffer) {
        Envelope envelope = Envelope.of(buffer);
        JsonNode head = envelope.head();
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        head.path("headers")
                .forEach(h ->
                        headers.add(Map.entry(h.path(0).textValue(), h.path(1).textValue())));
        return new Response(
                head.path("status").intValue(),
                head.path("type").textValue(),
                head.path("empty").booleanValue() ? null : envelope.body(),
                head.path("revision").longValue(),
                head.path("etag").textValue(),
                head.path("secret").booleanValue(),
                head.path("outdated").booleanValue(),
                head.path("wrote").booleanValue(),
                List.copyOf(headers));
    }

    private Buffer close(String what, byte how, Buffer content) {
        Buffer closed = Buffer.buffer().appendByte(how);
        return how == CLEAR
                ? closed.appendBuffer(content)
                : closed.appendBytes(
                        keyring.seal(what, content.getBytes()).sealed().bytes());
    }

    private Buffer open(String what, Buffer message) {
        Buffer content = message.slice(1, message.length());
        if (message.getByte(0) == SEALED) {
            return Buffer.buffer(keyring.open(what, Sealed.of(content)));
        }
        if (keyring.isPresent()) {
            throw new ServiceException(
                    ErrorCode.NO_KEYSET,
                    "The edge has no keyset, but the core nodes do (expected: the same secrets.keyset on all nodes)");
        }
        return content;
    }
}
