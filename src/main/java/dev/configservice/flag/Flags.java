package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.flag.eval.EvaluationContext;
import dev.configservice.flag.eval.Trace;
import dev.configservice.log.UnitId;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The evaluation of flags. This class knows neither HTTP nor callers: the code that uses it must check rights. */
public final class Flags {
    private final EvaluationBus bus;
    private final String defaultEnvironment;

    public Flags(EvaluationBus bus, String defaultEnvironment) {
        this.bus = bus;
        this.defaultEnvironment = defaultEnvironment;
    }

    /** Returns the environment of an evaluation that names none. */
    public String defaultEnvironment() {
        return defaultEnvironment;
    }

    /** Returns the unit that holds the flags of an environment. */
    public static UnitId unit(String environment) {
        return FlagFormat.unit(environment);
    }

    /** Creates the context of an evaluation from a user's id and a JSON object of attributes. Both may be null. */
    public static EvaluationContext context(@Nullable String userId, @Nullable JsonNode attributes) {
        return new EvaluationContext(userId, FlagFormat.context(attributes));
    }

    /** Returns what is wrong with a user's id; null if nothing is. */
    public static @Nullable String userProblem(String userId) {
        return FlagFormat.USER.problem(userId);
    }

    /** Evaluates one flag. Must be called on an event loop. The result includes the steps if {@code explain} is set. */
    public Future<EvaluationResult> evaluate(
            String environment, String flagName, EvaluationContext context, boolean explain, long minRevision) {
        return bus.evaluate(new EvaluationRequest(environment, Set.of(flagName), context, explain, minRevision));
    }

    /**
     * Evaluates several flags. Must be called on an event loop.
     *
     * @param flagNames null for all flags of the environment
     */
    public Future<EvaluationResult> evaluateAll(
            String environment, @Nullable Set<String> flagNames, EvaluationContext context, long minRevision) {
        return bus.evaluate(new EvaluationRequest(environment, flagNames, context, false, minRevision));
    }

    /**
     * Evaluates flags as they were at a revision, which {@link PastSnapshots.Reads#revision} returned. It counts as no use of them.
     *
     * @param flagNames null for all flags of the environment
     */
    public Future<EvaluationResult> evaluateAt(
            PastSnapshots.Reads past,
            String environment,
            @Nullable Set<String> flagNames,
            EvaluationContext context,
            boolean explain,
            long revision) {
        EvaluationRequest request = new EvaluationRequest(environment, flagNames, context, explain, 0);
        return past.get(FlagFormat.unit(environment), revision)
                .compose(snapshot -> Futures.onWorker(() -> {
                    Trace trace = explain ? new Trace() : null;
                    List<RenderedEvaluation> rendered =
                            FlagEvaluationVerticle.evaluate(FlagFormat.set(snapshot), request, trace).stream()
                                    .map(e -> new RenderedEvaluation(e, environment, null))
                                    .toList();
                    return new EvaluationResult(rendered, trace, revision, false);
                }));
    }
}
