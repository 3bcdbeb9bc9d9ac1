package dev.configservice.flag;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads for evaluations that are too long for an event loop: long strings and large patterns, or many flags that
 * are still to be compiled. There are few threads, and a bounded number of evaluations waits for them. Thread-safe.
 */
public final class LongEvaluations {
    /** The number of steps from which an evaluation is too long for an event loop: a few milliseconds. */
    static final long STEPS = 1_000_000;

    private static final int MAX_WAITING = 32;

    private final WorkerExecutor threads;
    private final AtomicInteger waiting = new AtomicInteger();

    public LongEvaluations(Vertx vertx, MeterRegistry meters) {
        int cores = Runtime.getRuntime().availableProcessors();
        this.threads = vertx.createSharedWorkerExecutor("config-service.long-evaluations", Math.max(1, cores / 2));
        Gauge.builder("config_service_long_evaluations", waiting, AtomicInteger::get)
                .description("Evaluations too long for an event loop that run or wait")
                .register(meters);
    }

    /** Runs an evaluation. Fails with {@link ErrorCode#TOO_MANY} if too many are waiting. */
    <T> Future<T> run(Callable<T> evaluation) {
        if (waiting.incrementAndGet() > MAX_WAITING) {
            waiting.decrementAndGet();
            return Future.failedFuture(new ServiceException(
                    ErrorCode.TOO_MANY, "This node is at its limit for long evaluations, retry later"));
        }
        return threads.executeBlocking(evaluation, false).onComplete(done -> waiting.decrementAndGet());
    }
}
