package dev.configservice.flag.eval;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whom a flag is evaluated for.
 *
 * @param userId the targeting key; null or empty where there is none
 * @param context attributes: texts, numbers ({@link java.math.BigDecimal}), truth values; others match nothing
 */
public record EvaluationContext(@Nullable String userId, Map<String, Object> context) {
    private static final String USER_ID = "user_id";

    @Nullable
    Object attribute(String name) {
        if (name.equals(USER_ID)) {
            return userId;
        }
        return context.get(name);
    }
}
