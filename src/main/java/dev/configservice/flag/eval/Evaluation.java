package dev.configservice.flag.eval;

import org.jspecify.annotations.Nullable;

/**
 * What a flag is for a user.
 *
 * @param flag the flag; null where it is not found
 * @param variant the variant that the user gets; null where the flag is off or has none
 */
public record Evaluation(
        String flagName,
        @Nullable FlagDefinition flag,
        boolean enabled,
        FlagDefinition.@Nullable Variant variant,
        Reason reason) {

    static Evaluation off(CompiledFlag flag, Reason reason) {
        return new Evaluation(flag.definition().name(), flag.definition(), false, null, reason);
    }
}
