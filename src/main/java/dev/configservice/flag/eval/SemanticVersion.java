package dev.configservice.flag.eval;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A version as in Semantic Versioning 2.0.0, ordered by its item 11: build metadata is ignored. */
record SemanticVersion(BigInteger major, BigInteger minor, BigInteger patch, List<String> preRelease)
        implements Comparable<SemanticVersion> {
    private static final Pattern FORM = Pattern.compile("(0|[1-9]\\d{0,30})\\.(0|[1-9]\\d{0,30})\\.(0|[1-9]\\d{0,30})"
            + "(?:-((?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
            + "(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?");
    private static final int MAX_LENGTH = 256;

    /** Parses a version; null if the string is not a valid one. */
    static @Nullable SemanticVersion parse(String text) {
        if (text.length() > MAX_LENGTH) {
            return null;
        }
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            return null;
        }
        return new SemanticVersion(
                new BigInteger(m.group(1)),
                new BigInteger(m.group(2)),
                new BigInteger(m.group(3)),
                m.group(4) == null ? List.of() : List.of(m.group(4).split("\\.", -1)));
    }

    @Override
    public int compareTo(SemanticVersion o) {
        int order = major.compareTo(o.major);
        order = order != 0 ? order : minor.compareTo(o.minor);
        order = order != 0 ? order : patch.compareTo(o.patch);
        if (order != 0) {
            return order;
        }
        if (preRelease.isEmpty() || o.preRelease.isEmpty()) {
            return Integer.compare(o.preRelease.size(), preRelease.size());
        }
        for (int i = 0; i < Math.min(preRelease.size(), o.preRelease.size()); i++) {
            order = identifier(preRelease.get(i), o.preRelease.get(i));
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(preRelease.size(), o.preRelease.size());
    }

    private static int identifier(String a, String b) {
        boolean numberA = a.chars().allMatch(Character::isDigit);
        boolean numberB = b.chars().allMatch(Character::isDigit);
        if (numberA && numberB) {
            return new BigInteger(a).compareTo(new BigInteger(b));
        }
        return numberA == numberB ? a.compareTo(b) : (numberA ? -1 : 1);
    }
}
