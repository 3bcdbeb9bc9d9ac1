package dev.configservice.flag.eval;

import dev.configservice.flag.eval.FlagDefinition.Constraint;
import dev.configservice.flag.eval.FlagDefinition.Rule;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of one evaluation on one core: a static flag, five rules of three constraints each, and a fractional
 * rollout.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class EvaluationBenchmark {
    private final FlagSet flags = FlagSet.compile(List.of(
            flag("static", null, List.of()),
            flag("rules", 0, fiveRules()),
            flag("fractional", 5_000, List.of())));
    private final EvaluationContext context = new EvaluationContext(
            "user-4711",
            Map.of("country", "fr", "plan", "free", "age", BigDecimal.valueOf(31), "version", "2.4.1"));

    private static FlagDefinition flag(String name, @Nullable Integer rollout, List<Rule> rules) {
        return new FlagDefinition("id", name, true, rollout, Set.of(), rules, List.of(), List.of(), name, 1);
    }

    /** None holds, and each fails at its last constraint, so that all fifteen are looked at. */
    private static List<Rule> fiveRules() {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            rules.add(new Rule(
                    List.of(
                            new Constraint("country", Operator.IN, List.of("de", "fr", "at"), false),
                            new Constraint("age", Operator.GTE, List.of(BigDecimal.valueOf(18)), false),
                            new Constraint("plan", Operator.EQ, List.of("paid-" + i), false)),
                    null,
                    null));
        }
        return rules;
    }

    @Benchmark
    public Evaluation staticFlag() {
        return flags.evaluate("static", context);
    }

    @Benchmark
    public Evaluation fiveRulesOfThreeConstraints() {
        return flags.evaluate("rules", context);
    }

    @Benchmark
    public Evaluation fractionalRollout() {
        return flags.evaluate("fractional", context);
    }
}
