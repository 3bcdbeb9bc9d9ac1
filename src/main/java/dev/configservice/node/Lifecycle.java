package dev.configservice.node;

import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps that stop a node, in the reverse order of its start. Each wait for a step has a deadline. */
final class Lifecycle implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
    private static final Duration STEP_DEADLINE = Duration.ofSeconds(60);

    private final Deque<AutoCloseable> steps = new ArrayDeque<>();

    /** Adds a step that stops something. It runs before the steps that were added earlier. */
    void onStop(AutoCloseable step) {
        steps.push(step);
    }

    /** Runs all steps, even if some fail. */
    @Override
    public void close() {
        while (!steps.isEmpty()) {
            try {
                steps.pop().close();
            } catch (Exception | LinkageError e) {
                log.warn("stop.step-failed cause={}", e.toString());
            }
        }
    }

    /** Begins a step of the start on a thread of its own, beside the steps that follow. */
    static <T> Future<T> meanwhile(String name, Supplier<T> step) {
        Promise<T> promise = Promise.promise();
        Thread thread = new Thread(
                () -> {
                    try {
                        promise.complete(step.get());
                    } catch (RuntimeException | LinkageError e) {
                        promise.fail(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        return promise.future();
    }

    /** Blocks until a step of the start has completed. */
    static <T> T await(Future<T> future) {
        return await(future, STEP_DEADLINE);
    }

    /**
     * Blocks until a step has completed.
     *
     * @throws SettingsException if the step failed with it
     * @throws IllegalStateException if the step failed otherwise, or took longer than the deadline
     */
    static <T> T await(Future<T> future, Duration deadline) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SettingsException settings) {
                throw settings;
            }
            throw new IllegalStateException(cause == null ? e.getMessage() : cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new IllegalStateException("a step took longer than " + deadline, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
