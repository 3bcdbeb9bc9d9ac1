package dev.configservice.flag;

import dev.configservice.flag.eval.Evaluation;
import dev.configservice.flag.eval.FlagSet;
import dev.configservice.flag.eval.Trace;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.Collection;
import java.util.List;

/** Evaluates flags for the event loop that it runs on. */
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

    private Future<EvaluationAnswer> evaluate(EvaluationRequest request) {
        return cache.get(Flags.unit(request.environment()), request.minRevision())
                .map(snapshot -> evaluate(request, snapshot));
    }

    private EvaluationAnswer evaluate(EvaluationRequest request, Snapshot snapshot) {
        FlagSet flags = Flags.set(snapshot);
        Collection<String> names = request.flagNames() == null ? flags.names() : request.flagNames();
        Trace trace = request.explain() ? new Trace() : null;
        List<Evaluation> evaluations = trace != null && names.size() == 1
                ? List.of(flags.evaluate(names.iterator().next(), request.subject(), trace))
                : flags.evaluateAll(names, request.subject());
        evaluations.forEach(usage::count);
        return new EvaluationAnswer(evaluations, trace, snapshot.asOf().revision(), snapshot.isOutdated());
    }
}
