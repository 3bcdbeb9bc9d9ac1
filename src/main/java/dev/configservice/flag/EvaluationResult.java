package dev.configservice.flag;

import dev.configservice.flag.eval.Trace;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of it.
 *
 * @param evaluations of each flag that was asked for, once
 * @param trace the steps of a single evaluation that was to be explained; else null
 * @param asOf the revision that the flags stand for
 * @param outdated whether newer changes of the flags are known
 */
public record EvaluationResult(
        List<RenderedEvaluation> evaluations, @Nullable Trace trace, long asOf, boolean outdated) {}
