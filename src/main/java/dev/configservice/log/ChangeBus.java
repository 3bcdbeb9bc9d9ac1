package dev.configservice.log;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.vertx.LocalMessageCodec;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The event bus for writes and changes. Messages stay on this node: they are immutable values, passed by reference. A
 * consumer always replies, even if it throws. Otherwise its caller would only see a timeout.
 */
public final class ChangeBus {
    private static final Logger log = LoggerFactory.getLogger(ChangeBus.class);
    private static final String WRITES = "config-service.writes";
    private static final String SETS = "config-service.change-sets";
    private static final String CHANGES = "config-service.changes";
    private static final String CODEC = "config-service.local";
    private static final Duration BEYOND_DEADLINE = Duration.ofSeconds(2);

    private final Vertx vertx;
    private final DeliveryOptions local;
    private final DeliveryOptions request;

    /** Creates a bus for a writer that answers every write within {@code deadline}. */
    public ChangeBus(Vertx vertx, Duration deadline) {
        this.vertx = vertx;
        this.local = new DeliveryOptions().setCodecName(CODEC).setLocalOnly(true);
        this.request = new DeliveryOptions()
                .setCodecName(CODEC)
                .setLocalOnly(true)
                .setSendTimeout(deadline.plus(BEYOND_DEADLINE).toMillis());
        vertx.eventBus().registerCodec(new LocalMessageCodec(CODEC));
    }

    /** A reply: a value, or the failure that the caller gets. */
    private record Reply(@Nullable Object value, @Nullable ServiceException failure) {}

    /** Sends a command to the writer. Fails only with {@link ServiceException}. */
    public Future<WriteResult> write(Command command) {
        return ask(WRITES, command).map(WriteResult.class::cast);
    }

    /** Sends a change set, with at least one command, to the writer. Fails only with {@link ServiceException}. */
    public Future<WriteResult.OfSet> write(Command.Set set) {
        return ask(SETS, set).map(WriteResult.OfSet.class::cast);
    }

    private Future<Object> ask(String address, Object question) {
        return vertx.eventBus()
                .<Reply>request(address, question, request)
                .recover(e -> {
                    if (e instanceof ReplyException reply && reply.failureType() == ReplyFailure.NO_HANDLERS) {
                        return Future.failedFuture(
                                ServiceException.unavailable("This node is shutting down and takes no writes"));
                    }
                    log.error("bus.write-unanswered cause={}", e.toString());
                    return Future.failedFuture(new ServiceException(
                            ErrorCode.OUTCOME_UNKNOWN, "The writer did not answer; the write may have been applied"));
                })
                .compose(message -> {
                    Reply reply = message.body();
                    return reply.failure() != null
                            ? Future.failedFuture(reply.failure())
                            : Future.succeededFuture(Objects.requireNonNull(reply.value()));
                });
    }

    /** Registers the writer of this node, which gets all commands, and all change sets. */
    Future<?> onWrite(
            Function<Command, Future<WriteResult>> writer, Function<Command.Set, Future<WriteResult.OfSet>> ofSets) {
        return Future.all(
                consumer(WRITES, writer).completion(), consumer(SETS, ofSets).completion());
    }

    private <C, R> MessageConsumer<C> consumer(String address, Function<C, Future<R>> writer) {
        return vertx.eventBus().localConsumer(address, (Message<C> message) -> {
            Future<R> result;
            try {
                result = writer.apply(message.body());
            } catch (RuntimeException e) {
                result = Future.failedFuture(e);
            }
            result.onComplete(done -> message.reply(
                    done.succeeded() ? new Reply(done.result(), null) : new Reply(null, coded(done.cause())), local));
        });
    }

    private static ServiceException coded(Throwable e) {
        if (e instanceof ServiceException coded) {
            return coded;
        }
        log.error("bus.write-failed", e);
        return new ServiceException(ErrorCode.INTERNAL, "The writer failed");
    }

    /** Publishes an applied change to the consumers on this node. */
    public void publish(Change change) {
        vertx.eventBus().publish(CHANGES, change, local);
    }

    /** Registers a consumer. It gets each change once, in order, on the event loop of the caller. */
    public MessageConsumer<Change> onChange(Handler<Change> handler) {
        return vertx.eventBus().localConsumer(CHANGES, message -> handler.handle(message.body()));
    }
}
