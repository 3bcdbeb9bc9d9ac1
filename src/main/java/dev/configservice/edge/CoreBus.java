package dev.configservice.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages between edges and core nodes: core nodes announce their positions in the log, and edges send requests.
 * Each core node has its own address for each topic. An edge therefore knows which node it asks, and can ask the next
 * one if that node does not answer. A core node always answers, also with a failure, because the edge would otherwise
 * only see a timeout.
 */
public final class CoreBus {
    private static final Logger log = LoggerFactory.getLogger(CoreBus.class);
    private static final String CORES = "config-service.cores";
    private static final String WHO = "config-service.who-is-core";
    private static final long FORGOTTEN_NANOS = Duration.ofSeconds(3).toNanos();
    private static final byte DONE = 0;
    private static final byte FAILED = 1;

    /** The time that one core node has to answer a request that can be retried. */
    public static final Duration DEADLINE = Duration.ofSeconds(1);

    private final Vertx vertx;
    private final String self;
    private final Map<String, Long> heardOf = new ConcurrentHashMap<>();
    /** The requests that each core node has not answered yet. */
    private final Map<String, Set<Promise<Message<Buffer>>>> asked = new ConcurrentHashMap<>();

    private volatile @Nullable String preferred;
    private volatile boolean leaving;

    /**
     * Creates the bus of a node.
     *
     * @param self the id of this node in the cluster
     */
    public CoreBus(Vertx vertx, String self) {
        this.vertx = vertx;
        this.self = self;
    }

    /** Fails the pending requests to a node that has left the cluster, and no longer sends requests to it. */
    public void gone(String node) {
        heardOf.remove(node);
        Set<Promise<Message<Buffer>>> unanswered = asked.remove(node);
        if (unanswered != null) {
            unanswered.forEach(p -> p.tryFail("the node has left the cluster"));
        }
    }

    /** A listener for the positions that core nodes announce. */
    @FunctionalInterface
    public interface Announced {
        void at(long epoch, long revision);
    }

    private static String address(String core, String topic) {
        return "config-service.core." + core + "." + topic;
    }

    /** Answers the requests of edges on one topic, on this core node. */
    public void serve(String topic, Function<Buffer, Future<Buffer>> answer) {
        vertx.eventBus().consumer(address(self, topic), (Message<Buffer> message) -> {
            Future<Buffer> result;
            try {
                result = answer.apply(message.body());
            } catch (RuntimeException e) {
                result = Future.failedFuture(e);
            }
            result.onComplete(done -> message.reply(
                    done.succeeded()
                            ? Buffer.buffer().appendByte(DONE).appendBuffer(done.result())
                            : failure(topic, done.cause())));
        });
    }

    /** Calls {@code announce} when an edge asks which core nodes exist. */
    public void onAsked(Runnable announce) {
        vertx.eventBus().consumer(WHO, message -> announce.run());
    }

    /** Tells the edges that this core node is shutting down, so that they ask other core nodes from now on. */
    public void leave() {
        leaving = true;
        vertx.eventBus().publish(CORES, new JsonObject().put("core", self).put("leaving", true));
    }

    /** Announces the position of this core node to the edges, unless it is shutting down. */
    public void announce(long epoch, long revision) {
        if (leaving) {
            return;
        }
        vertx.eventBus()
                .publish(
                        CORES,
                        new JsonObject().put("core", self).put("epoch", epoch).put("revision", revision));
    }

    /** Follows the announcements of core nodes. The listener runs on the event loop of the caller. */
    public void follow(Announced announced) {
        MessageConsumer<JsonObject> hears = vertx.eventBus().consumer(CORES, (Message<JsonObject> message) -> {
            JsonObject said = message.body();
            if (said.getBoolean("leaving", false)) {
                heardOf.remove(said.getString("core"));
                return;
            }
            heardOf.put(said.getString("core"), System.nanoTime());
            announced.at(said.getLong("epoch"), said.getLong("revision"));
        });
        // ask only when this node can receive: if it missed the reply, it would wait a second for the next announcement
        hears.completion().onComplete(v -> vertx.eventBus().publish(WHO, new JsonObject()));
    }

    /** Prefers another core node from now on, e.g. because the current one lags. */
    public void another() {
        List<String> there = there();
        there.remove(preferred);
        if (!there.isEmpty()) {
            preferred = there.get(0);
        }
    }

    /**
     * Sends a request to a core node. If that node does not receive it, the next one is asked. Fails only with
     * {@link ServiceException}.
     *
     * @param again whether the request can be retried. If so, the next node is also asked if one does not answer in
     *     time or is unavailable. If not, as with a write, a request that is not answered fails with
     *     {@link ErrorCode#OUTCOME_UNKNOWN}, because the node may have received it.
     */
    public Future<Buffer> ask(String topic, Buffer question, Duration deadline, boolean again) {
        List<String> there = there();
        return ask(there.iterator(), topic, question, deadline, again, null);
    }

    private Future<Buffer> ask(
            Iterator<String> cores,
            String topic,
            Buffer question,
            Duration deadline,
            boolean again,
            @Nullable ServiceException before) {
        if (!cores.hasNext()) {
            return Future.failedFuture(
                    before == null ? ServiceException.unavailable("No core node is reachable") : before);
        }
        String core = cores.next();
        return request(core, topic, question, deadline).transform(done -> {
            if (done.failed()) {
                heardOf.remove(core);
                log.debug(
                        "core.unanswered topic={} core={} cause={}",
                        topic,
                        core,
                        done.cause().toString());
                return again || wasNotHeard(done.cause())
                        ? ask(cores, topic, question, deadline, again, before)
                        : Future.failedFuture(new ServiceException(
                                ErrorCode.OUTCOME_UNKNOWN,
                                "The core node did not answer; the write may have been applied"));
            }
            Buffer answer = done.result().body();
            Buffer content = answer.slice(1, answer.length());
            if (answer.getByte(0) == DONE) {
                preferred = core;
                return Future.succeededFuture(content);
            }
            ServiceException failure = failure(content);
            return again && (failure.code() == ErrorCode.UNAVAILABLE || failure.code() == ErrorCode.BEHIND)
                    ? ask(cores, topic, question, deadline, true, failure)
                    : Future.failedFuture(failure);
        });
    }

    private Future<Message<Buffer>> request(String core, String topic, Buffer question, Duration deadline) {
        Promise<Message<Buffer>> promise = Promise.promise();
        Set<Promise<Message<Buffer>>> ofCore = asked.computeIfAbsent(core, c -> ConcurrentHashMap.newKeySet());
        ofCore.add(promise);
        vertx.eventBus()
                .<Buffer>request(
                        address(core, topic), question, new DeliveryOptions().setSendTimeout(deadline.toMillis()))
                .onComplete(done -> {
                    ofCore.remove(promise);
                    if (done.succeeded()) {
                        promise.tryComplete(done.result());
                    } else {
                        promise.tryFail(done.cause());
                    }
                });
        return promise.future();
    }

    private static boolean wasNotHeard(Throwable cause) {
        return cause instanceof ReplyException e && e.failureType() == ReplyFailure.NO_HANDLERS;
    }

    /**
     * Returns the core nodes that announced themselves recently: the preferred one first, the others in random order.
     */
    private List<String> there() {
        long now = System.nanoTime();
        heardOf.values().removeIf(at -> now - at > FORGOTTEN_NANOS);
        List<String> there = new ArrayList<>(heardOf.keySet());
        Collections.shuffle(there);
        String first = preferred;
        if (first != null && there.remove(first)) {
            there.add(0, first);
        }
        return there;
    }

    private static Buffer failure(String topic, Throwable cause) {
        ServiceException e;
        if (cause instanceof ServiceException known) {
            e = known;
        } else {
            log.error("core.failed topic={}", topic, cause);
            e = new ServiceException(ErrorCode.INTERNAL, "The core node failed; see its log");
        }
        ObjectNode o = Json.object();
        o.put("code", e.code().name());
        o.put("detail", e.getMessage());
        o.set("errors", Json.tree(e.errors()));
        o.set("members", Json.tree(e.members()));
        return Buffer.buffer().appendByte(FAILED).appendBytes(Json.bytes(o));
    }

    private static ServiceException failure(Buffer content) {
        JsonNode o = Json.read(content.getBytes());
        List<FieldError> errors = new ArrayList<>();
        o.path("errors")
                .forEach(e -> errors.add(new FieldError(
                        e.path("field").asText(), e.path("message").asText())));
        Map<String, Object> members = new HashMap<>();
        o.path("members").properties().forEach(m -> members.put(m.getKey(), m.getValue()));
        return new ServiceException(
                ErrorCode.valueOf(o.path("code").asText()), o.path("detail").asText(), errors, members);
    }
}
