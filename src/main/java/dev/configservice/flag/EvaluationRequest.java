package dev.configservice.flag;

import dev.configservice.flag.eval.EvaluationContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is to be evaluated.
 *
 * @param flagNames the flags; null for all of the environment
 * @param explain whether each step is told, where one flag is named
 */
record EvaluationRequest(
        String environment,
        @Nullable Set<String> flagNames,
        EvaluationContext context,
        boolean explain,
        long minRevision) {}
