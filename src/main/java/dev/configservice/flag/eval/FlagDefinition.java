package dev.configservice.flag.eval;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A flag as it is defined. Percentages are in hundredths of a percent (0 to 10,000).
 *
 * @param rollout null: all users, or none while users are targeted or rules stand
 * @param salt what a user's bucket is found with; flags with one salt share their cohort
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
     * A rule: where all constraints hold (none: always) it decides.
     *
     * @param variant the variant's name that its users get; null for their own
     * @param rollout the share of its users for whom the flag is on; null for all
     */
    public record Rule(
            List<Constraint> constraints,
            @Nullable String variant,
            @Nullable Integer rollout) {}

    /** What an attribute must be. Values are texts, numbers ({@link java.math.BigDecimal}) and truth values. */
    public record Constraint(String attribute, Operator operator, List<Object> values, boolean negate) {}

    /** What a user may get, and how often, relative to the others. The value is the caller's; the evaluator hands it on. */
    public record Variant(String name, Object value, int weight) {}

    /** Another flag that must be on, or on with a variant. */
    public record Prerequisite(String flagName, @Nullable String variant) {}

    /** The percentage that holds where no user and no rule decides. */
    int effectiveRollout() {
        if (rollout != null) {
            return rollout;
        }
        return targetUsers.isEmpty() && rules.isEmpty() ? Bucket.COUNT : 0;
    }
}
