package dev.configservice.flag;

import dev.configservice.flag.eval.Evaluation;
import dev.configservice.flag.eval.FlagSet;
import dev.configservice.flag.eval.Trace;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A verticle that evaluates flags for the event loop that it runs on. */
public final class FlagEvaluationVerticle extends VerticleBase {
    private final EvaluationBus bus;
    private final SnapshotCache cache;
    private final FlagUsage usage;

    private final LongEvaluations longOnes;

    public FlagEvaluationVerticle(EvaluationBus bus, SnapshotCache cache, FlagUsage usage, LongEvaluations longOnes) {
        this.bus = bus;
        this.cache = cache;
        this.usage = usage;
        this.longOnes = longOnes;
    }

    @Override
    public Future<?> start() {
        return bus.listen(this::evaluate).completion();
    }

    private Future<EvaluationResult> evaluate(EvaluationRequest request) {
        return Futures.then(cache.get(FlagFormat.unit(request.environment()), request.minRevision()), snapshot -> {
            FlagSet flags = FlagFormat.set(snapshot);
            Trace trace = request.explain() ? new Trace() : null;
            Future<List<Evaluation>> evaluated =
                    flags.takesMoreThan(LongEvaluations.STEPS, request.flagNames(), request.context())
                            ? longOnes.run(() -> evaluate(flags, request, trace))
                            : Future.succeededFuture(evaluate(flags, request, trace));
            return Futures.map(evaluated, evaluations -> result(request, snapshot, evaluations, trace));
        });
    }

    static List<Evaluation> evaluate(FlagSet flags, EvaluationRequest request, @Nullable Trace trace) {
        Set<String> names = request.flagNames();
        if (names == null) {
            return flags.evaluateAll(request.context());
        }
        return names.size() == 1
                ? List.of(flags.evaluate(names.iterator().next(), request.context(), trace))
                : flags.evaluateAll(names, request.context());
    }

    private EvaluationResult result(
            EvaluationRequest request, Snapshot snapshot, List<Evaluation> evaluations, @Nullable Trace trace) {
        List<RenderedEvaluation> rendered = new ArrayList<>(evaluations.size());
        for (Evaluation evaluation : evaluations) {
            rendered.add(evaluation.view(e -> new RenderedEvaluation(e, request.environment(), usage.counter(e))));
        }
        usage.count(rendered);
        return new EvaluationResult(rendered, trace, snapshot.asOf().revision(), snapshot.isOutdated());
    }
}
