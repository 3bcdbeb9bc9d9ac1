package dev.configservice.access;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The names that a caller is limited to: exact names, or prefixes followed by {@code *}. An empty list means no limit.
 */
public record Scope(List<String> patterns) {
    public static final Scope ALL = new Scope(List.of());

    public Scope {
        patterns = List.copyOf(patterns);
    }

    public boolean isAll() {
        return patterns.isEmpty();
    }

    /** Returns the only name that this scope covers; null if it may cover others. */
    public @Nullable String only() {
        return patterns.size() == 1 && !patterns.get(0).endsWith("*") ? patterns.get(0) : null;
    }

    public boolean covers(String name) {
        return isAll() || patterns.stream().anyMatch(p -> matches(p, name));
    }

    /** Tells whether this scope covers everything that the other one covers. */
    public boolean contains(Scope other) {
        if (isAll()) {
            return true;
        }
        return !other.isAll()
                && other.patterns.stream().allMatch(p -> patterns.stream().anyMatch(mine -> within(p, mine)));
    }

    private static boolean matches(String pattern, String name) {
        return pattern.endsWith("*")
                ? name.startsWith(pattern.substring(0, pattern.length() - 1))
                : pattern.equals(name);
    }

    private static boolean within(String theirs, String mine) {
        if (!mine.endsWith("*")) {
            return mine.equals(theirs);
        }
        String beginning = mine.substring(0, mine.length() - 1);
        String rest = theirs.endsWith("*") ? theirs.substring(0, theirs.length() - 1) : theirs;
        return rest.startsWith(beginning);
    }
}
