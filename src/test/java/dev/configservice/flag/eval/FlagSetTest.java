package dev.configservice.flag.eval;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.flag.eval.FlagDefinition.Constraint;
import dev.configservice.flag.eval.FlagDefinition.Prerequisite;
import dev.configservice.flag.eval.FlagDefinition.Rule;
import dev.configservice.flag.eval.FlagDefinition.Variant;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlagSetTest {
    private static final EvaluationContext NOBODY = new EvaluationContext(null, Map.of());
    private static final EvaluationContext ANN = new EvaluationContext("ann", Map.of());

    /** Returns a flag that has only the given parts: targeted users, rules, variants and prerequisites. */
    private static FlagDefinition flag(String name, boolean enabled, @Nullable Integer rollout, Object... parts) {
        Set<String> users = Set.of();
        List<Rule> rules = List.of();
        List<Variant> variants = List.of();
        List<Prerequisite> prerequisites = List.of();
        for (Object part : parts) {
            if (part instanceof String user) {
                users = Set.of(user);
            } else if (part instanceof Rule rule) {
                rules = concat(rules, rule);
            } else if (part instanceof Variant variant) {
                variants = concat(variants, variant);
            } else if (part instanceof Prerequisite prerequisite) {
                prerequisites = concat(prerequisites, prerequisite);
            }
        }
        return new FlagDefinition("id", name, enabled, rollout, users, rules, variants, prerequisites, name, 1);
    }

    private static <T> List<T> concat(List<T> list, T one) {
        List<T> all = new java.util.ArrayList<>(list);
        all.add(one);
        return List.copyOf(all);
    }

    private static Evaluation of(EvaluationContext subject, FlagDefinition... flags) {
        return FlagSet.compile(List.of(flags)).evaluate(flags[0].name(), subject);
    }

    private static void assertOutcome(Evaluation e, boolean enabled, Reason reason) {
        assertThat(e.enabled()).isEqualTo(enabled);
        assertThat(e.reason()).isEqualTo(reason);
    }

    @Test
    void theFirstStepThatDecidesWins() {
        Rule always = new Rule(List.of(), null, null);
        assertOutcome(FlagSet.compile(List.of()).evaluate("none", ANN), false, Reason.FLAG_NOT_FOUND);
        assertOutcome(of(ANN, flag("f", false, 10_000, "ann", always)), false, Reason.DISABLED);
        assertOutcome(
                of(ANN, flag("f", true, 10_000, "ann", new Prerequisite("gone", null))),
                false,
                Reason.PREREQUISITE_FAILED);
        assertOutcome(of(ANN, flag("f", true, 0, "ann")), true, Reason.TARGETING_MATCH);
        assertOutcome(of(ANN, flag("f", true, 0, always)), true, Reason.TARGETING_MATCH);
        assertOutcome(of(ANN, flag("f", true, 10_000, new Rule(List.of(), null, 0))), false, Reason.TARGETING_MATCH);
        assertOutcome(of(ANN, flag("f", true, 10_000)), true, Reason.DEFAULT);
        assertOutcome(of(ANN, flag("f", true, 0)), false, Reason.DEFAULT);
        assertThat(of(ANN, flag("f", true, 5_000)).reason()).isEqualTo(Reason.SPLIT);
        assertOutcome(of(NOBODY, flag("f", true, 5_000)), false, Reason.TARGETING_KEY_MISSING);
        assertOutcome(
                of(new EvaluationContext("", Map.of()), flag("f", true, 5_000)), false, Reason.TARGETING_KEY_MISSING);
        assertOutcome(
                of(NOBODY, flag("f", true, 0, new Rule(List.of(), null, 1))), false, Reason.TARGETING_KEY_MISSING);
    }

    @Test
    void withoutAPercentageAFlagIsOnForAllUnlessItTargetsSome() {
        assertOutcome(of(NOBODY, flag("f", true, null)), true, Reason.DEFAULT);
        assertOutcome(of(ANN, flag("f", true, null, "bob")), false, Reason.DEFAULT);
        Rule never = new Rule(List.of(new Constraint("x", Operator.EXISTS, List.of(), false)), null, null);
        assertOutcome(of(ANN, flag("f", true, null, never)), false, Reason.DEFAULT);
    }

    @Test
    void prerequisitesMustBeOnWithTheirVariant() {
        Variant red = new Variant("red", "r", 1);
        FlagDefinition base = flag("base", true, null, red);
        assertThat(of(ANN, flag("f", true, null, new Prerequisite("base", null)), base)
                        .enabled())
                .isTrue();
        assertThat(of(ANN, flag("f", true, null, new Prerequisite("base", "red")), base)
                        .enabled())
                .isTrue();
        assertThat(of(ANN, flag("f", true, null, new Prerequisite("base", "blue")), base)
                        .enabled())
                .isFalse();
        assertThat(of(ANN, flag("f", true, null, new Prerequisite("base", null)), flag("base", false, null))
                        .enabled())
                .isFalse();
    }

    @Test
    void everyFlagInACycleOfPrerequisitesFails() {
        FlagDefinition a = flag("a", true, null, new Prerequisite("b", null));
        FlagDefinition b = flag("b", true, null, new Prerequisite("c", null));
        FlagDefinition c = flag("c", true, null, new Prerequisite("a", null));
        FlagDefinition outside = flag("outside", true, null, new Prerequisite("a", null));
        assertOutcome(of(ANN, a, b, c), false, Reason.PREREQUISITE_FAILED);
        assertOutcome(of(ANN, outside, a, b, c), false, Reason.PREREQUISITE_FAILED);
        assertThat(FlagSet.compile(List.of(a, b)).wouldCycle("c", List.of(new Prerequisite("a", null))))
                .isTrue();
        assertThat(FlagSet.compile(List.of(a, b)).wouldCycle("d", List.of(new Prerequisite("a", null))))
                .isFalse();
        assertThat(FlagSet.compile(List.of()).wouldCycle("d", List.of(new Prerequisite("d", null))))
                .isTrue();
    }

    @Test
    void variantsAreChosenByWeightUnlessARuleNamesOne() {
        Variant none = new Variant("none", "n", 0);
        Variant all = new Variant("all", "a", 7);
        assertThat(of(NOBODY, flag("f", true, null, none, all)).variant()).isEqualTo(all);
        assertThat(of(ANN, flag("f", true, null, none, all)).variant()).isEqualTo(all);
        Rule named = new Rule(List.of(), "none", null);
        assertThat(of(ANN, flag("f", true, null, none, all, named)).variant()).isEqualTo(none);
        assertThat(of(ANN, flag("f", false, null, none, all)).variant()).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "in, a|b, b, true",
        "in, a|b, c, false",
        "not_in, a|b, c, true",
        "not_in, a|b, a, false",
        "starts_with, ab|x, abc, true",
        "ends_with, bc, abc, true",
        "contains, zz|b, abc, true",
        "contains, zz, abc, false",
        "matches, ^a.c$, abc, true",
        "matches, ^a.c$, abcd, false",
        "eq, a, a, true",
        "eq, a, A, false",
        "semver_eq, 1.2.3, 1.2.3+build, true",
        "semver_gt, 1.2.3, 1.10.0, true",
        "semver_gt, 1.2.3, 1.2.3-rc.1, false",
        "semver_lt, 1.0.0, 1.0.0-alpha.1, true",
        "semver_lt, 1.0.0-alpha.beta, 1.0.0-alpha.1, true",
        "semver_gt, 1.2.3, v2, false",
        "before, 2030-01-01T00:00:00Z, 2029-12-31T23:59:59+00:00, true",
        "after, 2030-01-01T00:00:00Z, soon, false",
        "after, 2030-01-01T00:00:00Z, 2030-01-01T01:00:00+02:00, false",
        "exists, , x, true"
    })
    void stringsAreCompared(String operator, @Nullable String values, String attribute, boolean holds) {
        List<Object> parsed = values == null ? List.of() : List.of((Object[]) values.split("\\|", -1));
        assertConstraint(operator, parsed, attribute, holds);
    }

    @ParameterizedTest
    @CsvSource({
        "in, 1, 1.0, true",
        "not_in, 1, 2, true",
        "eq, 5, 5.00, true",
        "gt, 5, 5, false",
        "gte, 5, 5, true",
        "lt, 5, 4.99, true",
        "lte, 5, 5.01, false"
    })
    void numbersAreCompared(String operator, BigDecimal value, BigDecimal attribute, boolean holds) {
        assertConstraint(operator, List.of(value), attribute, holds);
    }

    private static void assertConstraint(String operator, List<Object> values, Object attribute, boolean holds) {
        Operator op = Operator.of(operator).orElseThrow();
        EvaluationContext subject = new EvaluationContext("u", Map.of("x", attribute));
        assertThat(holds(new Constraint("x", op, values, false), subject)).isEqualTo(holds);
        boolean wrongType = attribute.equals("v2") || attribute.equals("soon");
        assertThat(holds(new Constraint("x", op, values, true), subject)).isEqualTo(!wrongType && !holds);
    }

    private static boolean holds(Constraint constraint, EvaluationContext subject) {
        return CompiledConstraint.compile(constraint).holds(subject);
    }

    @Test
    void missingAndWronglyTypedAttributesNeverMatchEvenNegated() {
        EvaluationContext empty = new EvaluationContext(null, Map.of());
        EvaluationContext odd = new EvaluationContext(null, Map.of("x", List.of("a")));
        for (Operator op : Operator.values()) {
            List<Object> values =
                    switch (op) {
                        case GT, GTE, LT, LTE -> List.of(BigDecimal.ONE);
                        case SEMVER_EQ, SEMVER_GT, SEMVER_LT -> List.of("1.0.0");
                        case BEFORE, AFTER -> List.of("2030-01-01T00:00:00Z");
                        case EXISTS -> List.of();
                        default -> List.of("a");
                    };
            boolean missing = holds(new Constraint("x", op, values, false), empty);
            boolean missingNegated = holds(new Constraint("x", op, values, true), empty);
            assertThat(missing).as(op.text()).isEqualTo(op == Operator.NOT_IN);
            assertThat(missingNegated).as(op.text()).isEqualTo(op == Operator.EXISTS);
            if (op != Operator.EXISTS) {
                assertThat(holds(new Constraint("x", op, values, false), odd))
                        .as(op.text())
                        .isFalse();
                assertThat(holds(new Constraint("x", op, values, true), odd))
                        .as(op.text())
                        .isFalse();
            }
        }
        EvaluationContext number = new EvaluationContext(null, Map.of("x", BigDecimal.ONE));
        assertThat(holds(new Constraint("x", Operator.EQ, List.of("1"), false), number))
                .isFalse();
        assertThat(holds(new Constraint("x", Operator.NOT_IN, List.of("1"), false), number))
                .isFalse();
    }

    @Test
    void invalidOperandsAreReported() {
        assertThat(FlagSet.problem(new Constraint("x", Operator.MATCHES, List.of("(?=a)"), false)))
                .contains("RE2");
        assertThat(FlagSet.problem(new Constraint("x", Operator.GT, List.of("1"), false)))
                .contains("number");
        assertThat(FlagSet.problem(new Constraint("x", Operator.EQ, List.of("a", "b"), false)))
                .contains("one value");
        assertThat(FlagSet.problem(new Constraint("x", Operator.IN, List.of(), false)))
                .contains("at least one value");
        assertThat(FlagSet.problem(new Constraint("x", Operator.SEMVER_EQ, List.of("1"), false)))
                .contains("version");
        assertThat(FlagSet.problem(new Constraint("x", Operator.AFTER, List.of("1"), false)))
                .contains("time");
        assertThat(FlagSet.problem(new Constraint("x", Operator.EXISTS, List.of(), false)))
                .isNull();
    }

    @Test
    void userIdIsAnAttribute() {
        Rule rule =
                new Rule(List.of(new Constraint("user_id", Operator.STARTS_WITH, List.of("an"), false)), null, null);
        assertThat(of(ANN, flag("f", true, null, rule)).enabled()).isTrue();
        assertThat(of(NOBODY, flag("f", true, null, rule)).enabled()).isFalse();
    }

    @Test
    void aBulkEvaluationEqualsSingleEvaluations() {
        FlagSet set = FlagSet.compile(List.of(
                flag("a", true, 5_000, new Prerequisite("c", null)),
                flag("b", true, 5_000, new Prerequisite("c", null)),
                flag("c", true, 7_000)));
        for (int i = 0; i < 500; i++) {
            EvaluationContext user = new EvaluationContext("user-" + i, Map.of());
            Evaluation a = set.evaluate("a", user);
            Evaluation b = set.evaluate("b", user);
            Evaluation c = set.evaluate("c", user);
            assertThat(set.evaluateAll(user)).containsExactly(a, b, c);
            assertThat(set.evaluateAll(new LinkedHashSet<>(List.of("c", "a")), user))
                    .containsExactly(c, a);
        }
    }

    @Test
    void usersWithTheSameOutcomeGetTheSameObject() {
        FlagSet set = FlagSet.compile(List.of(flag(
                "f",
                true,
                5_000,
                "ann",
                new Variant("x", "x", 1),
                new Variant("y", "y", 1),
                new Variant("z", "z", 0))));
        Set<List<Object>> outcomes = new HashSet<>();
        Set<Evaluation> objects = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            for (Evaluation e : List.of(
                    set.evaluate("f", new EvaluationContext("user-" + i, Map.of())),
                    set.evaluate("f", ANN),
                    set.evaluate("f", NOBODY))) {
                String variant = e.variant() == null ? "" : e.variant().name();
                outcomes.add(List.of(e.enabled(), variant, e.reason()));
                objects.add(e);
            }
        }
        // by bucket: off, on with x, and on with y; ann, who is targeted; and off without a user
        assertThat(outcomes).hasSize(5);
        assertThat(objects).hasSize(5);
    }

    @Test
    void theTraceListsEachStep() {
        Rule rule = new Rule(List.of(new Constraint("country", Operator.IN, List.of("de"), false)), null, null);
        Trace trace = new Trace();

        FlagSet.compile(List.of(flag("f", true, 1, "bob", rule))).evaluate("f", ANN, trace);

        assertThat(trace.steps().stream().map(Trace.Step::step))
                .containsExactly("target_users", "rules[0]", "rollout_percentage", "bucket");
        assertThat(trace.steps().get(1).result()).contains("country");
    }
}
