package dev.configservice.flag.eval;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The definition of a flag. Percentages are in hundredths of a percent (0 to 10,000).
 *
 * @param rollout null for all users, or for no users if the flag has target users or rules
 * @param salt hashed together with the user's id to find the bucket; flags with the same salt share their buckets
 */
public record FlagDefinition(
        String id,
        String name,
        boolean enabled,
        @Nullable Integer rollout,
        Set<String> targetUsers,
        List<Rule> rules,
        List<Variant> variants,
        List<Prerequisite> prerequisites,
        String salt,
        long version) {

    /**
     * A rule. The first rule whose constraints all hold decides. A rule without constraints always holds.
     *
     * @param variant the name of the variant that its users get; null for the one that the weights assign to a user
     * @param rollout the share of its users for whom the flag is on; null for all
     */
    public record Rule(
            List<Constraint> constraints,
            @Nullable String variant,
            @Nullable Integer rollout) {}

    /** A condition on an attribute. Values are strings, numbers ({@link java.math.BigDecimal}) and booleans. */
    public record Constraint(String attribute, Operator operator, List<Object> values, boolean negate) {
        /** Returns how large its patterns become when they are compiled, in instructions; an estimate. */
        public long patternSize() {
            if (operator != Operator.MATCHES) {
                return 0;
            }
            return values.stream()
                    .filter(String.class::isInstance)
                    .mapToLong(v -> PatternSize.of((String) v))
                    .sum();
        }
    }

    /** A value that users may get. Its weight is relative to other variants. The evaluator never reads the value. */
    public record Variant(String name, Object value, int weight) {}

    /** Another flag that must be on. If a variant is named, the user must get that variant. */
    public record Prerequisite(String flagName, @Nullable String variant) {}

    /** Returns how large the patterns of the flag become when they are compiled, in instructions; an estimate. */
    public long patternSize() {
        long size = 0;
        for (Rule rule : rules) {
            for (Constraint constraint : rule.constraints()) {
                size += constraint.patternSize();
            }
        }
        return size;
    }

    /** Returns the percentage that applies if neither the target users nor a rule decide. */
    int effectiveRollout() {
        if (rollout != null) {
            return rollout;
        }
        return targetUsers.isEmpty() && rules.isEmpty() ? Bucket.COUNT : 0;
    }
}
