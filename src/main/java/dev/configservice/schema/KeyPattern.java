package dev.configservice.schema;

import com.google.re2j.Pattern;
import dev.configservice.json.StringRule;

/**
 * A pattern for keys. Segments of a key end at a dot: {@code *} stands for one or more characters of a segment, {@code **}
 * for one or more of any characters. A pattern matches a whole key, case-sensitive.
 */
public final class KeyPattern {
    /** The rule for patterns. */
    static final StringRule RULE = text -> !text.matches("[A-Za-z0-9._:*-]{1,255}") || text.contains("***")
            ? "must be 1 to 255 of A-Z a-z 0-9 . _ : - and * or **"
            : null;

    private final String prefix;
    private final Pattern pattern;

    private KeyPattern(String prefix, Pattern pattern) {
        this.prefix = prefix;
        this.pattern = pattern;
    }

    /** Reads a pattern that the rule accepts. */
    public static KeyPattern of(String text) {
        StringBuilder regex = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            if (text.startsWith("**", at)) {
                regex.append(".+");
                at += 2;
            } else if (text.charAt(at) == '*') {
                regex.append("[^.]+");
                at++;
            } else {
                regex.append(Pattern.quote(text.substring(at, at + 1)));
                at++;
            }
        }
        int star = text.indexOf('*');
        return new KeyPattern(star < 0 ? text : text.substring(0, star), Pattern.compile(regex.toString()));
    }

    /** Returns the characters with which every key that matches begins. */
    public String prefix() {
        return prefix;
    }

    public boolean matches(String key) {
        return key.startsWith(prefix) && pattern.matches(key);
    }
}
