package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.flag.eval.EvaluationContext;
import io.vertx.core.Future;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The evaluation of flags. Knows no HTTP and no caller: who may evaluate is up to its users. */
public final class Flags {
    private final EvaluationBus bus;
    private final String defaultEnvironment;

    public Flags(EvaluationBus bus, String defaultEnvironment) {
        this.bus = bus;
        this.defaultEnvironment = defaultEnvironment;
    }

    /** The environment of an evaluation that names none. */
    public String defaultEnvironment() {
        return defaultEnvironment;
    }

    /** The context of an evaluation, from a user's id and a JSON object of attributes; each null where it is not given. */
    public static EvaluationContext context(@Nullable String userId, @Nullable JsonNode attributes) {
        return new EvaluationContext(userId, FlagFormat.context(attributes));
    }

    /** Evaluates one flag; called on an event loop. The answer has its steps where it is to be explained. */
    public Future<EvaluationResult> evaluate(
            String environment, String flagName, EvaluationContext context, boolean explain, long minRevision) {
        return bus.evaluate(new EvaluationRequest(environment, Set.of(flagName), context, explain, minRevision));
    }

    /**
     * Evaluates several flags; called on an event loop.
     *
     * @param flagNames null for all flags of the environment
     */
    public Future<EvaluationResult> evaluateAll(
            String environment, @Nullable Set<String> flagNames, EvaluationContext context, long minRevision) {
        return bus.evaluate(new EvaluationRequest(environment, flagNames, context, false, minRevision));
    }
}
