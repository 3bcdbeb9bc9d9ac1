package dev.configservice.flag.eval;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The user that a flag is evaluated for.
 *
 * @param userId the targeting key; null or empty where there is none
 * @param attributes strings, numbers ({@link java.math.BigDecimal}), booleans; others match nothing
 */
public record EvaluationContext(@Nullable String userId, Map<String, Object> attributes) {
    private static final String USER_ID = "user_id";

    @Nullable
    Object attribute(String name) {
        if (name.equals(USER_ID)) {
            return userId;
        }
        return attributes.get(name);
    }
}
