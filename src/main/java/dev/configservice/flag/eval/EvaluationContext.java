package dev.configservice.flag.eval;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The user that a flag is evaluated for.
 *
 * @param userId the targeting key; null or empty if there is none
 * @param attributes strings, numbers ({@link java.math.BigDecimal}) and booleans; only {@code exists} accepts others
 */
public record EvaluationContext(@Nullable String userId, Map<String, Object> attributes) {
    private static final String USER_ID = "user_id";

    /** Returns the length of the longest string that patterns are applied to; 0 if there is none. */
    int longestText() {
        int longest = userId == null ? 0 : userId.length();
        for (Object attribute : attributes.values()) {
            if (attribute instanceof String text && text.length() <= CompiledConstraint.MAX_TEXT) {
                longest = Math.max(longest, text.length());
            }
        }
        return longest;
    }

    @Nullable
    Object attribute(String name) {
        if (name.equals(USER_ID)) {
            return userId;
        }
        return attributes.get(name);
    }
}
