package dev.configservice.flag;

import dev.configservice.flag.eval.Evaluation;
import dev.configservice.flag.eval.FlagSet;
import dev.configservice.flag.eval.Trace;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A verticle that evaluates flags for the event loop that it runs on. */
public final class FlagEvaluationVerticle extends VerticleBase {
    private final EvaluationBus bus;
    private final SnapshotCache cache;
    private final FlagUsage usage;

    public FlagEvaluationVerticle(EvaluationBus bus, SnapshotCache cache, FlagUsage usage) {
        this.bus = bus;
        this.cache = cache;
        this.usage = usage;
    }

    @Override
    public Future<?> start() {
        return bus.listen(this::evaluate).completion();
    }

    private Future<EvaluationResult> evaluate(EvaluationRequest request) {
        return cache.get(FlagFormat.unit(request.environment()), request.minRevision())
                .map(snapshot -> evaluate(request, snapshot));
    }

    private EvaluationResult evaluate(EvaluationRequest request, Snapshot snapshot) {
        FlagSet flags = FlagFormat.set(snapshot);
        Set<String> names = request.flagNames();
        Trace trace = request.explain() ? new Trace() : null;
        List<Evaluation> evaluations;
        if (names == null) {
            evaluations = flags.evaluateAll(request.context());
        } else if (names.size() == 1) {
            evaluations = List.of(flags.evaluate(names.iterator().next(), request.context(), trace));
        } else {
            evaluations = flags.evaluateAll(names, request.context());
        }
        List<RenderedEvaluation> rendered = new ArrayList<>(evaluations.size());
        for (Evaluation evaluation : evaluations) {
            rendered.add(evaluation.view(e -> new RenderedEvaluation(e, request.environment(), usage.counter(e))));
        }
        usage.count(rendered);
        return new EvaluationResult(rendered, trace, snapshot.asOf().revision(), snapshot.isOutdated());
    }
}
