package dev.configservice.flag;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.flag.eval.EvaluationContext;
import dev.configservice.log.UnitId;
import io.vertx.core.Future;
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
}
