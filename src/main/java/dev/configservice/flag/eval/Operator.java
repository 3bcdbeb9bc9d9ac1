package dev.configservice.flag.eval;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How a constraint compares an attribute with its values. */
public enum Operator {
    IN,
    NOT_IN,
    STARTS_WITH,
    ENDS_WITH,
    CONTAINS,
    /** A regular expression in the syntax of RE2, found anywhere in the text; its time is linear in it. */
    MATCHES,
    EQ,
    GT,
    GTE,
    LT,
    LTE,
    /** Versions as Semantic Versioning 2.0.0 orders them. */
    SEMVER_EQ,
    SEMVER_GT,
    SEMVER_LT,
    /** Times as in RFC 3339. */
    BEFORE,
    AFTER,
    EXISTS;

    /** As it stands in a rule. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Operator> of(String text) {
        return Arrays.stream(values()).filter(o -> o.text().equals(text)).findFirst();
    }

    /** All of them, as they stand in rules. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(Operator::text).toList();
    }
}
