package dev.configservice.json;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A rule for the value of a string field. */
public interface StringRule {
    /** Returns the reason for which a string breaks the rule, without the string itself; null if it does not. */
    @Nullable
    String problem(String text);

    /** The rule for names of environments and services. */
    StringRule NAME = text -> text.equals(".") || text.equals("..")
            ? "may not be . or .."
            : isName(text) ? null : "must be 1 to 100 of A-Z a-z 0-9 . _ -";

    /** The rule for a name that may be empty, for what all share. */
    StringRule NAME_OR_NONE = text -> text.isEmpty() ? null : NAME.problem(text);

    private static boolean isName(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!fits && c != '.' && c != '_' && c != '-') {
                return false;
            }
        }
        return !text.isEmpty() && text.length() <= 100;
    }

    /** Returns a rule for any string of {@code min} to {@code max} code points that can be stored. */
    static StringRule text(int min, int max) {
        return text -> {
            String problem = Json.textProblem(text);
            if (problem != null) {
                return problem;
            }
            int length = text.codePointCount(0, text.length());
            return length < min || length > max ? "must be " + min + " to " + max + " characters long" : null;
        };
    }

    /** The rule for the comment of a write. */
    StringRule COMMENT = text(0, 2000);

    /** The rule that accepts every string, for values that the route checks by itself. */
    StringRule ANY = text -> null;

    /** The rule for true or false, case-insensitive. */
    StringRule BOOLEAN =
            text -> text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false") ? null : "must be true or false";

    /** The rule for a time that {@link Times} can parse. */
    StringRule TIME = text -> Times.parse(text) == null ? Times.EXPECTED : null;

    /** Returns a rule for whole numbers from {@code min} to {@code max}. */
    static StringRule number(long min, long max) {
        return text -> {
            boolean isNumber = text.matches("-?\\d{1,18}");
            return isNumber && Long.parseLong(text) >= min && Long.parseLong(text) <= max
                    ? null
                    : "must be a whole number from " + min + " to " + max;
        };
    }

    /** Returns a rule that accepts only the given words. */
    static StringRule oneOf(List<String> words) {
        String message = "must be one of " + String.join(", ", words);
        return text -> words.contains(text) ? null : message;
    }

    static StringRule pattern(String regex, String message) {
        Pattern pattern = Pattern.compile(regex);
        return text -> pattern.matcher(text).matches() ? null : message;
    }
}
