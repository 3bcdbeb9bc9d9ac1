package dev.configservice.flag.eval;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import dev.configservice.flag.eval.FlagDefinition.Constraint;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A constraint with parsed values. If the attribute is missing or has the wrong type, the constraint does not hold,
 * negated or not. There are two exceptions: {@code exists} tests only the presence of the attribute, and
 * {@code not_in} holds for a missing attribute unless it is negated.
 */
final class CompiledConstraint {
    private static final int MAX_PATTERN = 1000;
    private static final int MAX_SIZE = 10_000;
    private static final int MAX_DEPTH = 50;
    /** The length of the longest text that patterns are applied to. Longer ones match none. */
    static final int MAX_TEXT = 4096;

    /** The result of testing an attribute. Negation swaps the first two, but does not change {@link #WRONG_TYPE}. */
    private enum Match {
        HOLDS,
        FAILS,
        WRONG_TYPE
    }

    private interface Test {
        Match of(Object attribute);
    }

    private final Constraint constraint;
    private final Test test;

    private CompiledConstraint(Constraint constraint, Test test) {
        this.constraint = constraint;
        this.test = test;
    }

    /** Parses the values. Fails with an {@link IllegalArgumentException} whose message says what the operator takes. */
    static CompiledConstraint compile(Constraint c) {
        return new CompiledConstraint(c, test(c.operator(), c.values()));
    }

    Constraint constraint() {
        return constraint;
    }

    boolean holds(EvaluationContext context) {
        Object attribute = context.attribute(constraint.attribute());
        if (constraint.operator() == Operator.EXISTS) {
            return (attribute != null) != constraint.negate();
        }
        if (attribute == null) {
            return constraint.operator() == Operator.NOT_IN && !constraint.negate();
        }
        Match outcome = test.of(attribute);
        return outcome != Match.WRONG_TYPE && (outcome == Match.HOLDS) != constraint.negate();
    }

    private static Test test(Operator operator, List<Object> values) {
        return switch (operator) {
            case EXISTS -> attribute -> Match.HOLDS;
            case IN -> member(values, true);
            case NOT_IN -> member(values, false);
            case STARTS_WITH -> text(texts(values), String::startsWith);
            case ENDS_WITH -> text(texts(values), String::endsWith);
            case CONTAINS -> text(texts(values), String::contains);
            case MATCHES -> matches(values);
            case EQ -> member(List.of(one(values)), true);
            case GT -> number(values, order -> order > 0);
            case GTE -> number(values, order -> order >= 0);
            case LT -> number(values, order -> order < 0);
            case LTE -> number(values, order -> order <= 0);
            case SEMVER_EQ -> version(values, order -> order == 0);
            case SEMVER_GT -> version(values, order -> order > 0);
            case SEMVER_LT -> version(values, order -> order < 0);
            case BEFORE -> time(values, order -> order < 0);
            case AFTER -> time(values, order -> order > 0);
        };
    }

    private static Test member(List<Object> values, boolean in) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("takes at least one value");
        }
        Set<Object> members = new HashSet<>();
        Set<Class<?>> types = new HashSet<>();
        for (Object value : values) {
            Object normal = normal(value);
            if (normal == null) {
                throw new IllegalArgumentException("takes strings, numbers and booleans");
            }
            members.add(normal);
            types.add(normal.getClass());
        }
        return attribute -> {
            Object normal = normal(attribute);
            if (normal == null || !types.contains(normal.getClass())) {
                return Match.WRONG_TYPE;
            }
            return of(members.contains(normal) == in);
        };
    }

    /** Normalizes a value, so that {@code equals} treats 1.0 and 1 as the same number; null for other types. */
    private static @Nullable Object normal(Object value) {
        if (value instanceof BigDecimal number) {
            return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
        }
        return value instanceof String || value instanceof Boolean ? value : null;
    }

    private static List<String> texts(List<Object> values) {
        List<String> texts = new ArrayList<>();
        for (Object value : values) {
            if (!(value instanceof String text)) {
                throw new IllegalArgumentException("takes strings");
            }
            texts.add(text);
        }
        if (texts.isEmpty()) {
            throw new IllegalArgumentException("takes at least one string");
        }
        return texts;
    }

    private interface TextTest {
        boolean holds(String attribute, String value);
    }

    private static Test text(List<String> values, TextTest test) {
        return attribute -> {
            if (!(attribute instanceof String text)) {
                return Match.WRONG_TYPE;
            }
            for (String value : values) {
                if (test.holds(text, value)) {
                    return Match.HOLDS;
                }
            }
            return Match.FAILS;
        };
    }

    private static Test matches(List<Object> values) {
        List<Pattern> patterns = new ArrayList<>();
        for (String value : texts(values)) {
            if (value.length() > MAX_PATTERN || depth(value) > MAX_DEPTH || PatternSize.of(value) > MAX_SIZE) {
                throw new IllegalArgumentException("takes regular expressions of at most " + MAX_PATTERN
                        + " characters, with groups nested at most " + MAX_DEPTH
                        + " deep, whose counted repeats make at most " + MAX_SIZE + " copies of elements");
            }
            try {
                patterns.add(Pattern.compile(value));
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException("takes regular expressions in RE2 syntax: " + e.getDescription(), e);
            }
        }
        return attribute -> {
            if (!(attribute instanceof String text)) {
                return Match.WRONG_TYPE;
            }
            if (text.length() > MAX_TEXT) {
                return Match.FAILS;
            }
            for (Pattern pattern : patterns) {
                if (pattern.matcher(text).find()) {
                    return Match.HOLDS;
                }
            }
            return Match.FAILS;
        };
    }

    private static int depth(String pattern) {
        int depth = 0;
        int deepest = 0;
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            deepest = Math.max(deepest, depth);
        }
        return deepest;
    }

    private static Object one(List<Object> values) {
        if (values.size() != 1) {
            throw new IllegalArgumentException("takes exactly one value");
        }
        return values.get(0);
    }

    private static Test number(List<Object> values, Predicate<Integer> order) {
        if (!(one(values) instanceof BigDecimal value)) {
            throw new IllegalArgumentException("takes a number");
        }
        return attribute -> attribute instanceof BigDecimal n ? of(order.test(n.compareTo(value))) : Match.WRONG_TYPE;
    }

    private static Test version(List<Object> values, Predicate<Integer> order) {
        SemanticVersion value = one(values) instanceof String text ? SemanticVersion.parse(text) : null;
        if (value == null) {
            throw new IllegalArgumentException("takes a semantic version such as 1.2.3");
        }
        return attribute -> {
            SemanticVersion v = attribute instanceof String text ? SemanticVersion.parse(text) : null;
            return v == null ? Match.WRONG_TYPE : of(order.test(v.compareTo(value)));
        };
    }

    private static Test time(List<Object> values, Predicate<Integer> order) {
        Instant value = one(values) instanceof String text ? instant(text) : null;
        if (value == null) {
            throw new IllegalArgumentException("takes a time such as 2030-01-31T12:00:00Z");
        }
        return attribute -> {
            Instant t = attribute instanceof String text ? instant(text) : null;
            return t == null ? Match.WRONG_TYPE : of(order.test(t.compareTo(value)));
        };
    }

    private static @Nullable Instant instant(String text) {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static Match of(boolean holds) {
        return holds ? Match.HOLDS : Match.FAILS;
    }
}
