package dev.configservice.flag.eval;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The comparison of an attribute with the values of a constraint. */
public enum Operator {
    IN,
    NOT_IN,
    STARTS_WITH,
    ENDS_WITH,
    CONTAINS,
    /** A regular expression in RE2 syntax that may match anywhere in the string. It runs in linear time. */
    MATCHES,
    EQ,
    GT,
    GTE,
    LT,
    LTE,
    /** Versions in the order of Semantic Versioning 2.0.0. */
    SEMVER_EQ,
    SEMVER_GT,
    SEMVER_LT,
    /** Times as in RFC 3339. */
    BEFORE,
    AFTER,
    EXISTS;

    /** Returns the name that rules use, e.g. {@code starts_with}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Operator> of(String text) {
        return Arrays.stream(values()).filter(o -> o.text().equals(text)).findFirst();
    }

    /** Returns the names of all operators. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(Operator::text).toList();
    }
}
