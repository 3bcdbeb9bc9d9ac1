package dev.configservice.settings;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The values of one section, read by name and type. Problems are collected and reported together. */
final class Section {
    private static final Pattern BYTES = Pattern.compile("(\\d{1,10})([kMG]?)");
    private static final Pattern SHARE = Pattern.compile("([1-9]\\d?)%");
    private static final int MIN_SECRET = 16;
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");

    private final String name;
    private final Map<String, String> values;
    private final List<String> problems;
    private final Set<String> read = new LinkedHashSet<>();
    private final Map<String, String> shown = new LinkedHashMap<>();

    Section(String name, Map<String, String> values, List<String> problems) {
        this.name = name;
        this.values = values;
        this.problems = problems;
    }

    /** Returns the value of a setting that may hold a secret, and is never shown, as a string; empty if it is not set. */
    String text(String key) {
        read.add(key);
        String text = values.getOrDefault(key, "").strip();
        shown.putIfAbsent(key, text.isEmpty() ? "" : "(set)");
        return text;
    }

    /** Returns the value of a setting that holds no secret, as a string; empty if it is not set. */
    String plain(String key) {
        String text = text(key);
        shown.put(key, text);
        return text;
    }

    /** Returns the settings that were read: their values, or {@code (set)} where a value may hold a secret. */
    Map<String, String> shown() {
        return shown;
    }

    /** Returns the value of a setting that is a shared secret: empty, or at least {@link #MIN_SECRET} characters. */
    String secret(String key) {
        String text = text(key);
        if (!text.isEmpty() && text.length() < MIN_SECRET) {
            problem(key, "(not shown)", MIN_SECRET + " characters or more");
        }
        return text;
    }

    List<String> list(String key) {
        return Arrays.stream(plain(key).split(",", -1))
                .map(String::strip)
                .filter(s -> !s.isEmpty())
                .toList();
    }

    int integer(String key, int min, int max) {
        String text = plain(key);
        try {
            int value = Integer.parseInt(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, like a number out of range
        }
        problem(key, text, "a whole number from " + min + " to " + max);
        return min;
    }

    /** Returns a size in bytes, given as a number with the unit k, M or G (1024 each) or without one. */
    long bytes(String key) {
        String text = plain(key);
        Matcher m = BYTES.matcher(text);
        if (!m.matches()) {
            problem(key, text, "a size such as 500k, 16M or 2G");
            return Long.MAX_VALUE;
        }
        long n = Long.parseLong(m.group(1));
        return switch (m.group(2)) {
            case "k" -> n << 10;
            case "M" -> n << 20;
            case "G" -> n << 30;
            default -> n;
        };
    }

    /** Returns a size in bytes, given as in {@link #bytes} or as a share of the heap, e.g. {@code 30%}. */
    long bytesOrShare(String key) {
        Matcher share = SHARE.matcher(plain(key));
        return share.matches() ? Runtime.getRuntime().maxMemory() / 100 * Long.parseLong(share.group(1)) : bytes(key);
    }

    double decimal(String key, double min, double max) {
        String text = plain(key);
        try {
            double value = Double.parseDouble(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, like a number out of range
        }
        problem(key, text, "a number from " + min + " to " + max);
        return min;
    }

    boolean bool(String key) {
        String text = plain(key);
        if (!text.equals("true") && !text.equals("false")) {
            problem(key, text, "true or false");
        }
        return text.equals("true");
    }

    Duration duration(String key) {
        String text = plain(key);
        Matcher m = DURATION.matcher(text);
        if (!m.matches()) {
            problem(key, text, "a duration such as 500ms, 20s, 5m or 1h");
            return Duration.ZERO;
        }
        long n = Long.parseLong(m.group(1));
        return switch (m.group(2)) {
            case "ms" -> Duration.ofMillis(n);
            case "s" -> Duration.ofSeconds(n);
            case "m" -> Duration.ofMinutes(n);
            case "h" -> Duration.ofHours(n);
            default -> Duration.ofDays(n);
        };
    }

    <E extends Enum<E>> E oneOf(String key, Class<E> type) {
        String text = plain(key);
        E[] constants = type.getEnumConstants();
        for (E e : constants) {
            if (e.name().toLowerCase(java.util.Locale.ROOT).equals(text)) {
                return e;
            }
        }
        problem(
                key,
                text,
                "one of "
                        + Arrays.stream(constants)
                                .map(e -> e.name().toLowerCase(java.util.Locale.ROOT))
                                .toList());
        return constants[0];
    }

    /**
     * Adds a problem with a setting.
     *
     * @param value the given value, or a placeholder if the value may be a secret
     */
    void problem(String key, String value, String expected) {
        problems.add(name + "." + key + ": " + (value.isEmpty() ? "(empty)" : value) + " (expected: " + expected + ")");
    }

    void refuseUnknown() {
        for (String key : values.keySet()) {
            if (!read.contains(key)) {
                problems.add(name + "." + key + ": unknown setting (known: " + name + "." + read + ")");
            }
        }
    }
}
