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
import org.jspecify.annotations.Nullable;
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

    private record Reply(List<Result> results) {}

    private record Result(
            @Nullable EvaluationResult answer, @Nullable ServiceException failure) {}

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
                    for (int i = 0; i < batch.size(); i++) {
                        Promise<EvaluationResult> promise = batch.get(i).promise;
                        if (done.failed()) {
                            log.error(
                                    "bus.evaluation-unanswered cause={}",
                                    done.cause().toString());
                            promise.fail(
                                    new ServiceException(ErrorCode.UNAVAILABLE, "The evaluation did not complete"));
                        } else {
                            Result result = done.result().body().results().get(i);
                            if (result.failure() != null) {
                                promise.fail(result.failure());
                            } else {
                                promise.complete(result.answer());
                            }
                        }
                    }
                });
    }

    /** Registers an evaluator for the requests of the event loop on which this method is called. */
    MessageConsumer<?> listen(Function<EvaluationRequest, Future<EvaluationResult>> evaluator) {
        String address = ADDRESS + Thread.currentThread().getName();
        return vertx.eventBus().localConsumer(address, (Message<Batch> message) -> {
            List<Future<Result>> results = new ArrayList<>();
            for (EvaluationRequest request : message.body().requests()) {
                results.add(result(evaluator, request));
            }
            Future.all(results)
                    .onComplete(all -> message.reply(
                            new Reply(results.stream().map(Future::result).toList()), local));
        });
    }

    private static Future<Result> result(
            Function<EvaluationRequest, Future<EvaluationResult>> evaluator, EvaluationRequest request) {
        Future<EvaluationResult> answer;
        try {
            answer = evaluator.apply(request);
        } catch (RuntimeException e) {
            answer = Future.failedFuture(e);
        }
        return answer.transform(done -> {
            if (done.succeeded()) {
                return Future.succeededFuture(new Result(done.result(), null));
            }
            if (done.cause() instanceof ServiceException known) {
                return Future.succeededFuture(new Result(null, known));
            }
            log.error("evaluation.failed", done.cause());
            return Future.succeededFuture(
                    new Result(null, new ServiceException(ErrorCode.INTERNAL, "The evaluation failed")));
        });
    }
}
