package dev.configservice.flag;

import dev.configservice.flag.eval.Trace;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The result of evaluating one flag or several.
 *
 * @param evaluations one for each requested flag
 * @param trace the steps of a single evaluation, if the request asked for them; null otherwise
 * @param asOf the revision of the flags that were evaluated
 * @param outdated whether newer changes of the flags are known but could not be read
 */
public record EvaluationResult(
        List<RenderedEvaluation> evaluations, @Nullable Trace trace, long asOf, boolean outdated) {}
