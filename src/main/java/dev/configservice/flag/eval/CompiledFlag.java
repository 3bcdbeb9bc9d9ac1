package dev.configservice.flag.eval;

import dev.configservice.flag.eval.FlagDefinition.Rule;
import dev.configservice.flag.eval.FlagDefinition.Variant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A flag for which everything that does not depend on the user is computed in advance. */
final class CompiledFlag {
    private static final int NONE = -1;

    private final FlagDefinition definition;
    private final List<CompiledRule> rules;
    private final int rollout;
    private final byte[] bucketPrefix;
    private final byte[] variantPrefix;
    private final long weightSum;
    /** The evaluations of each reason, created on first use: off, on without a variant, then on with each variant. */
    private final Map<Reason, @Nullable Evaluation[]> outcomes = new EnumMap<>(Reason.class);

    /** A rule, its constraints, and the index of the variant that it names ({@link #NONE} if it names none). */
    private record CompiledRule(Rule rule, List<CompiledConstraint> constraints, int variant) {
        boolean holds(EvaluationContext context) {
            for (CompiledConstraint c : constraints) {
                if (!c.holds(context)) {
                    return false;
                }
            }
            return true;
        }
    }

    private CompiledFlag(FlagDefinition definition, List<CompiledRule> rules) {
        this.definition = definition;
        this.rules = rules;
        for (Reason reason : Reason.values()) {
            outcomes.put(reason, new Evaluation[definition.variants().size() + 2]);
        }
        this.rollout = definition.effectiveRollout();
        this.bucketPrefix = Bucket.prefix(definition.salt());
        this.variantPrefix = Bucket.prefix(definition.salt() + ":variant");
        this.weightSum =
                definition.variants().stream().mapToLong(Variant::weight).sum();
    }

    static CompiledFlag compile(FlagDefinition definition) {
        List<CompiledRule> rules = new ArrayList<>();
        for (Rule rule : definition.rules()) {
            rules.add(new CompiledRule(
                    rule,
                    rule.constraints().stream().map(CompiledConstraint::compile).toList(),
                    place(definition.variants(), rule.variant())));
        }
        return new CompiledFlag(definition, List.copyOf(rules));
    }

    private static int place(List<Variant> variants, @Nullable String name) {
        for (int i = 0; i < variants.size(); i++) {
            if (variants.get(i).name().equals(name)) {
                return i;
            }
        }
        return NONE;
    }

    FlagDefinition definition() {
        return definition;
    }

    Evaluation off(Reason reason) {
        return outcome(reason, 0, false, null);
    }

    private Evaluation on(EvaluationContext context, int named, Reason reason) {
        int place = named == NONE ? variant(context) : named;
        return outcome(
                reason,
                place + 2,
                true,
                place == NONE ? null : definition.variants().get(place));
    }

    /** Returns the shared object of a result. If two threads create it at the same time, either object will do. */
    private Evaluation outcome(Reason reason, int slot, boolean enabled, @Nullable Variant variant) {
        @Nullable Evaluation[] ofReason = Objects.requireNonNull(outcomes.get(reason));
        Evaluation e = ofReason[slot];
        if (e == null) {
            e = new Evaluation(definition.name(), definition, enabled, variant, reason);
            ofReason[slot] = e;
        }
        return e;
    }

    /** Decides by the steps after the prerequisites: listed users, rules, percentage. */
    Evaluation decide(EvaluationContext context, @Nullable Trace trace) {
        if (context.userId() != null && definition.targetUsers().contains(context.userId())) {
            if (trace != null) {
                trace.add("target_users", "the user is listed: on");
            }
            return on(context, NONE, Reason.TARGETING_MATCH);
        }
        if (trace != null && !definition.targetUsers().isEmpty()) {
            trace.add("target_users", "the user is not listed");
        }
        for (int i = 0; i < rules.size(); i++) {
            CompiledRule rule = rules.get(i);
            if (rule.holds(context)) {
                Integer share = rule.rule.rollout();
                if (trace != null) {
                    trace.add("rules[" + i + "]", "all constraints hold: the rule applies" + of(share));
                }
                return share == null
                        ? on(context, rule.variant, Reason.TARGETING_MATCH)
                        : share(context, share, rule.variant, Reason.TARGETING_MATCH, trace);
            }
            if (trace != null) {
                trace.add("rules[" + i + "]", firstFailing(rule, context));
            }
        }
        if (trace != null) {
            trace.add("rollout_percentage", "applies" + of(rollout));
        }
        boolean forAll = rollout == 0 || rollout == Bucket.COUNT;
        return share(context, rollout, NONE, forAll ? Reason.DEFAULT : Reason.SPLIT, trace);
    }

    private static String firstFailing(CompiledRule rule, EvaluationContext context) {
        for (CompiledConstraint c : rule.constraints) {
            if (!c.holds(context)) {
                return "the constraint on " + c.constraint().attribute() + " ("
                        + (c.constraint().negate() ? "not " : "")
                        + c.constraint().operator().text()
                        + ") does not hold";
            }
        }
        return "";
    }

    private Evaluation share(EvaluationContext context, int share, int named, Reason reason, @Nullable Trace trace) {
        if (share == Bucket.COUNT) {
            return on(context, named, reason);
        }
        if (share == 0) {
            return off(reason);
        }
        String user = context.userId();
        if (user == null || user.isEmpty()) {
            if (trace != null) {
                trace.add("user_id", "is missing, but the percentage is neither 0 nor 100: off");
            }
            return off(Reason.TARGETING_KEY_MISSING);
        }
        int bucket = Bucket.of(bucketPrefix, user);
        if (trace != null) {
            trace.add("bucket", bucket + " is " + (bucket < share ? "below " : "not below ") + share);
        }
        return bucket < share ? on(context, named, reason) : off(reason);
    }

    /**
     * Returns the index of the variant that the weights assign to the user's bucket. Without a user it is the first
     * variant with a weight above 0.
     */
    private int variant(EvaluationContext context) {
        List<Variant> variants = definition.variants();
        if (variants.isEmpty()) {
            return NONE;
        }
        String user = context.userId();
        long bucket = user == null || user.isEmpty() ? 0 : Bucket.of(variantPrefix, user);
        long cumulative = 0;
        for (int i = 0; i < variants.size(); i++) {
            cumulative += variants.get(i).weight();
            if (cumulative * Bucket.COUNT > bucket * weightSum) {
                return i;
            }
        }
        return NONE;
    }

    private static String of(@Nullable Integer share) {
        return share == null
                ? ""
                : " to " + java.math.BigDecimal.valueOf(share, 2).toPlainString() + " % of users";
    }
}
