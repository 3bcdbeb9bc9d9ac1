package dev.configservice.json;

import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A rule for the value of a string field. */
public interface StringRule {
    /** Returns the way in which a string breaks the rule, without repeating the string; null if it does not. */
    @Nullable
    String problem(String text);

    /** An environment or a service name. */
    StringRule NAME = text -> isName(text) ? null : "must be 1 to 100 of A-Z a-z 0-9 . _ -";

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

    /** A free text. */
    static StringRule text(int min, int max) {
        return text -> {
            String problem = Json.textProblem(text);
            if (problem != null) {
                return problem;
            }
            int length = text.codePointCount(0, text.length());
            return length < min || length > max ? "must be " + min + " to " + max + " characters" : null;
        };
    }

    /** Any text; what else must hold of it, its route says. */
    StringRule ANY = text -> null;

    /** True or false, in any case. */
    StringRule BOOLEAN =
            text -> text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false") ? null : "must be true or false";

    /** A time, as {@link Times} reads it. */
    StringRule TIME = text -> Times.parse(text) == null ? Times.EXPECTED : null;

    /** A whole number. */
    static StringRule number(long min, long max) {
        return text -> {
            boolean isNumber = text.matches("-?\\d{1,18}");
            return isNumber && Long.parseLong(text) >= min && Long.parseLong(text) <= max
                    ? null
                    : "must be a whole number from " + min + " to " + max;
        };
    }

    /** One of a few words. */
    static StringRule oneOf(List<String> words) {
        String message = "must be one of " + String.join(", ", words);
        return text -> words.contains(text) ? null : message;
    }

    static StringRule pattern(String regex, String message) {
        Pattern pattern = Pattern.compile(regex);
        return text -> pattern.matcher(text).matches() ? null : message;
    }
}
