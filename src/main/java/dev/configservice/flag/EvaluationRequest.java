package dev.configservice.flag;

import dev.configservice.flag.eval.EvaluationContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request to evaluate flags for one user.
 *
 * @param flagNames the names of the flags; null for all flags of the environment
 * @param explain whether the result includes each step; only if one flag is named
 */
record EvaluationRequest(
        String environment,
        @Nullable Set<String> flagNames,
        EvaluationContext context,
        boolean explain,
        long minRevision) {}
