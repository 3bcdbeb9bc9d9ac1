package dev.configservice.flag.eval;

import dev.configservice.flag.eval.FlagDefinition.Rule;
import dev.configservice.flag.eval.FlagDefinition.Variant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A flag with everything worked out that does not depend on the user. */
final class CompiledFlag {
    private final FlagDefinition definition;
    private final List<CompiledRule> rules;
    private final int rollout;
    private final byte[] bucketPrefix;
    private final byte[] variantPrefix;
    private final long weightSum;

    /** A rule and its constraints; the variant that it names. */
    private record CompiledRule(
            Rule rule,
            List<CompiledConstraint> constraints,
            @Nullable Variant variant) {
        boolean holds(Subject subject) {
            for (CompiledConstraint c : constraints) {
                if (!c.holds(subject)) {
                    return false;
                }
            }
            return true;
        }
    }

    private CompiledFlag(FlagDefinition definition, List<CompiledRule> rules) {
        this.definition = definition;
        this.rules = rules;
        this.rollout = definition.effectiveRollout();
        this.bucketPrefix = Bucket.prefix(definition.salt());
        this.variantPrefix = Bucket.prefix(definition.salt() + ":variant");
        this.weightSum =
                definition.variants().stream().mapToLong(Variant::weight).sum();
    }

    static CompiledFlag compile(FlagDefinition definition) {
        List<CompiledRule> rules = new ArrayList<>();
        for (Rule rule : definition.rules()) {
            Variant named = definition.variants().stream()
                    .filter(v -> v.name().equals(rule.variant()))
                    .findFirst()
                    .orElse(null);
            rules.add(new CompiledRule(
                    rule,
                    rule.constraints().stream().map(CompiledConstraint::compile).toList(),
                    named));
        }
        return new CompiledFlag(definition, List.copyOf(rules));
    }

    FlagDefinition definition() {
        return definition;
    }

    /** The steps after the prerequisites: listed users, rules, the percentage. */
    Evaluation decide(Subject subject, @Nullable Trace trace) {
        if (subject.userId() != null && definition.targetUsers().contains(subject.userId())) {
            if (trace != null) {
                trace.add("target_users", "the user is listed: on");
            }
            return on(subject, null, Reason.TARGETING_MATCH);
        }
        if (trace != null && !definition.targetUsers().isEmpty()) {
            trace.add("target_users", "the user is not listed");
        }
        for (int i = 0; i < rules.size(); i++) {
            CompiledRule rule = rules.get(i);
            if (rule.holds(subject)) {
                Integer share = rule.rule.rollout();
                if (trace != null) {
                    trace.add("rules[" + i + "]", "all constraints hold: decides" + of(share));
                }
                return share == null
                        ? on(subject, rule.variant, Reason.TARGETING_MATCH)
                        : share(subject, share, rule.variant, Reason.TARGETING_MATCH, trace);
            }
            if (trace != null) {
                trace.add("rules[" + i + "]", firstFailing(rule, subject));
            }
        }
        if (trace != null) {
            trace.add("rollout_percentage", "decides" + of(rollout));
        }
        boolean forAll = rollout == 0 || rollout == Bucket.COUNT;
        return share(subject, rollout, null, forAll ? Reason.DEFAULT : Reason.SPLIT, trace);
    }

    private static String firstFailing(CompiledRule rule, Subject subject) {
        for (CompiledConstraint c : rule.constraints) {
            if (!c.holds(subject)) {
                return "the constraint on " + c.constraint().attribute() + " ("
                        + (c.constraint().negate() ? "not " : "")
                        + c.constraint().operator().text()
                        + ") does not hold";
            }
        }
        return "";
    }

    private Evaluation share(
            Subject subject, int share, @Nullable Variant named, Reason reason, @Nullable Trace trace) {
        if (share == Bucket.COUNT) {
            return on(subject, named, reason);
        }
        if (share == 0) {
            return Evaluation.off(this, reason);
        }
        String user = subject.userId();
        if (user == null || user.isEmpty()) {
            if (trace != null) {
                trace.add("user_id", "is missing, and the percentage is partial: off");
            }
            return Evaluation.off(this, Reason.TARGETING_KEY_MISSING);
        }
        int bucket = Bucket.of(bucketPrefix, user);
        if (trace != null) {
            trace.add("bucket", bucket + " is " + (bucket < share ? "below " : "not below ") + share);
        }
        return bucket < share ? on(subject, named, reason) : Evaluation.off(this, reason);
    }

    private Evaluation on(Subject subject, @Nullable Variant named, Reason reason) {
        Variant variant = named == null ? variant(subject) : named;
        return new Evaluation(definition.name(), definition, true, variant, reason);
    }

    /** The user's own variant: by its bucket among the weights; without a user the first that has one. */
    private @Nullable Variant variant(Subject subject) {
        if (definition.variants().isEmpty()) {
            return null;
        }
        String user = subject.userId();
        long bucket = user == null || user.isEmpty() ? 0 : Bucket.of(variantPrefix, user);
        long cumulative = 0;
        for (Variant v : definition.variants()) {
            cumulative += v.weight();
            if (cumulative * Bucket.COUNT > bucket * weightSum) {
                return v;
            }
        }
        return null;
    }

    private static String of(@Nullable Integer share) {
        return share == null
                ? ""
                : " for " + java.math.BigDecimal.valueOf(share, 2).toPlainString() + " %";
    }
}
