package dev.configservice.flag;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.vertx.LocalMessageCodec;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of the event bus that carries evaluations. All requests that arrive in one turn of an event loop are sent
 * as one message, to the verticle on the same event loop. Thus many evaluations cost one hop, and none waits for
 * another thread.
 */
public final class EvaluationBus {
    private static final Logger log = LoggerFactory.getLogger(EvaluationBus.class);
    private static final String ADDRESS = "config-service.evaluations.";
    private static final String CODEC = "config-service.evaluations";
    private static final long TIMEOUT_MILLIS = 5000;

    private final Vertx vertx;
    private final DeliveryOptions local =
            new DeliveryOptions().setCodecName(CODEC).setLocalOnly(true).setSendTimeout(TIMEOUT_MILLIS);
    private final Map<Thread, Turn> turns = new ConcurrentHashMap<>();

    public EvaluationBus(Vertx vertx) {
        this.vertx = vertx;
        vertx.eventBus().registerCodec(new LocalMessageCodec(CODEC));
    }

    /** The requests that one event loop has gathered, and the address for them. Used only on that event loop. */
    private static final class Turn {
        final String address;
        List<Waiting> waiting = new ArrayList<>();

        Turn(String address) {
            this.address = address;
        }
    }

    private record Waiting(EvaluationRequest request, Promise<EvaluationResult> promise) {}

    /** The requests of one turn. The results in the {@link Reply} have the same order. */
    private record Batch(List<EvaluationRequest> requests) {}

    /** The results, some of which may still be awaited: one that takes long does not hold up the others. */
    private record Reply(List<Future<EvaluationResult>> results) {}

    /** Evaluates flags. Must be called on an event loop. The future fails only with a {@link ServiceException}. */
    Future<EvaluationResult> evaluate(EvaluationRequest request) {
        Turn turn = turns.computeIfAbsent(Thread.currentThread(), loop -> new Turn(ADDRESS + loop.getName()));
        Promise<EvaluationResult> promise = Promise.promise();
        turn.waiting.add(new Waiting(request, promise));
        if (turn.waiting.size() == 1) {
            Context context = Objects.requireNonNull(Vertx.currentContext());
            context.runOnContext(v -> send(turn));
        }
        return promise.future();
    }

    private void send(Turn turn) {
        List<Waiting> batch = turn.waiting;
        turn.waiting = new ArrayList<>();
        vertx.eventBus()
                .<Reply>request(
                        turn.address,
                        new Batch(batch.stream().map(Waiting::request).toList()),
                        local)
                .onComplete(done -> {
                    if (done.failed()) {
                        log.error(
                                "bus.evaluations-unanswered requests={} cause={}",
                                batch.size(),
                                done.cause().toString());
                    }
                    for (int i = 0; i < batch.size(); i++) {
                        Promise<EvaluationResult> promise = batch.get(i).promise;
                        if (done.succeeded()) {
                            done.result().body().results().get(i).onComplete(promise);
                        } else {
                            promise.fail(
                                    new ServiceException(ErrorCode.UNAVAILABLE, "The evaluation did not complete"));
                        }
                    }
                });
    }

    /** Registers an evaluator for the requests of the event loop on which this method is called. */
    MessageConsumer<?> listen(Function<EvaluationRequest, Future<EvaluationResult>> evaluator) {
        String address = ADDRESS + Thread.currentThread().getName();
        return vertx.eventBus().localConsumer(address, (Message<Batch> message) -> {
            List<Future<EvaluationResult>> results = new ArrayList<>();
            for (EvaluationRequest request : message.body().requests()) {
                results.add(result(evaluator, request));
            }
            message.reply(new Reply(results), local);
        });
    }

    private static Future<EvaluationResult> result(
            Function<EvaluationRequest, Future<EvaluationResult>> evaluator, EvaluationRequest request) {
        Future<EvaluationResult> answer;
        try {
            answer = evaluator.apply(request);
        } catch (RuntimeException e) {
            answer = Future.failedFuture(e);
        }
        return answer.succeeded()
                ? answer
                : answer.recover(e -> {
                    if (e instanceof ServiceException) {
                        return Future.failedFuture(e);
                    }
                    log.error("evaluation.failed", e);
                    return Future.failedFuture(new ServiceException(ErrorCode.INTERNAL, "The evaluation failed"));
                });
    }
}
