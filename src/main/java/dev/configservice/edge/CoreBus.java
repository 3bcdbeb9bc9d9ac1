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
 * All that passes between edges and core nodes: cores say where they are in the log, edges ask. Each core has addresses of
 * its own, one for each topic, so that an edge knows whom it asks, and asks the next where one does not answer. A core
 * always answers, also with a failure: else whoever asked would only see a timeout.
 */
public final class CoreBus {
    private static final Logger log = LoggerFactory.getLogger(CoreBus.class);
    private static final String CORES = "config-service.cores";
    private static final String WHO = "config-service.who-is-core";
    private static final long FORGOTTEN_NANOS = Duration.ofSeconds(3).toNanos();
    private static final byte DONE = 0;
    private static final byte FAILED = 1;

    /** The time that one core node has to answer a request that can be sent again. */
    public static final Duration DEADLINE = Duration.ofSeconds(1);

    private final Vertx vertx;
    private final String self;
    private final Map<String, Long> heardOf = new ConcurrentHashMap<>();
    /** The requests that each core node has not answered yet. */
    private final Map<String, Set<Promise<Message<Buffer>>>> asked = new ConcurrentHashMap<>();

    private volatile @Nullable String preferred;
    private volatile boolean leaving;

    /**
     * @param self what this node is known by among the nodes
     */
    public CoreBus(Vertx vertx, String self) {
        this.vertx = vertx;
        this.self = self;
    }

    /** A node has left the cluster: what it was asked is not answered any more, and it is not asked again. */
    public void gone(String node) {
        heardOf.remove(node);
        Set<Promise<Message<Buffer>>> unanswered = asked.remove(node);
        if (unanswered != null) {
            unanswered.forEach(p -> p.tryFail("the node has left"));
        }
    }

    /** Hears where a core node is in the log. */
    @FunctionalInterface
    public interface Announced {
        void at(long epoch, long revision);
    }

    private static String address(String core, String topic) {
        return "config-service.core." + core + "." + topic;
    }

    /** Answers what edges ask of this core node. */
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

    /** Calls {@code announce} whenever an edge asks who is there. */
    public void onAsked(Runnable announce) {
        vertx.eventBus().consumer(WHO, message -> announce.run());
    }

    /** Tells the edges that this core node is about to stop: from now on they ask others. */
    public void leave() {
        leaving = true;
        vertx.eventBus().publish(CORES, new JsonObject().put("core", self).put("leaving", true));
    }

    /** Tells the edges where this core node is in the log, unless it is about to stop. */
    public void announce(long epoch, long revision) {
        if (leaving) {
            return;
        }
        vertx.eventBus()
                .publish(
                        CORES,
                        new JsonObject().put("core", self).put("epoch", epoch).put("revision", revision));
    }

    /** Follows what cores say of themselves; on the event loop of the caller. */
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
        // not before they can be heard: else the first word of them is the one that each says every second
        hears.completion().onComplete(v -> vertx.eventBus().publish(WHO, new JsonObject()));
    }

    /** Prefers another core node from now on, e.g. because this one is behind. */
    public void another() {
        List<String> there = there();
        there.remove(preferred);
        if (!there.isEmpty()) {
            preferred = there.get(0);
        }
    }

    /**
     * Asks a core node. What can be asked again is asked of the next one where one does not answer in time or cannot;
     * what cannot (a write) fails with {@link ErrorCode#OUTCOME_UNKNOWN} where it may have been heard. Fails only with
     * {@link ServiceException}.
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
                    before == null ? ServiceException.unavailable("No core node can be reached") : before);
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
                                "The core node did not answer; it is not known what it did"));
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

    /** The cores heard of lately, in any order but for the preferred one, which is first. */
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
            e = new ServiceException(ErrorCode.INTERNAL, "The core node failed; its log tells more");
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
