package dev.configservice.flag.eval;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * An estimate of how large a regular expression becomes when it is compiled, in instructions. It is made before the
 * expression is compiled, because counted repeats multiply: {@code (a{100}){100}} has ten thousand.
 */
public final class PatternSize {
    private static final int UNICODE_CLASS = 100;
    private static final long MOST = Integer.MAX_VALUE;

    private final String pattern;
    private int at;

    private PatternSize(String pattern) {
        this.pattern = pattern;
    }

    /** Returns the estimate. An expression that is not well-formed gets some estimate, too. */
    public static long of(String pattern) {
        return new PatternSize(pattern).estimate();
    }

    /** The sizes of the groups that are open: everything in a group so far, and its last element. */
    private record Open(long sum, long last) {}

    private long estimate() {
        Deque<Open> open = new ArrayDeque<>();
        long sum = 0;
        long last = 0;
        while (at < pattern.length()) {
            char c = pattern.charAt(at);
            if (pattern.startsWith("\\Q", at)) {
                // up to \E everything is text, also parentheses
                int end = pattern.indexOf("\\E", at);
                int length = (end < 0 ? pattern.length() : end) - at - 2;
                at = end < 0 ? pattern.length() : end + 2;
                last = 1;
                sum = bounded(sum + length);
            } else if (c == '(') {
                open.push(new Open(sum, last));
                sum = 0;
                last = 0;
                at++;
            } else if (c == ')' && !open.isEmpty()) {
                Open outer = open.pop();
                last = sum + 2;
                sum = outer.sum() + last;
                at++;
            } else if (c == '{') {
                long times = repeats();
                sum = bounded(sum + last * (times - 1));
                last = bounded(last * times);
            } else {
                last = atom(c);
                sum = bounded(sum + last);
            }
        }
        while (!open.isEmpty()) {
            sum = bounded(sum + open.pop().sum());
        }
        return sum;
    }

    private static long bounded(long size) {
        return Math.min(MOST, Math.max(0, size));
    }

    private long atom(char c) {
        if (c == '\\' && at + 1 < pattern.length()) {
            char escaped = pattern.charAt(at + 1);
            at += 2;
            if ("pPx".indexOf(escaped) >= 0 && pattern.startsWith("{", at)) {
                // the braces hold a name or a number, not a count
                int end = pattern.indexOf('}', at);
                at = end < 0 ? pattern.length() : end + 1;
            }
            return escaped == 'p' || escaped == 'P' ? UNICODE_CLASS : 1;
        }
        if (c == '[') {
            int from = at;
            // a bracket right after the beginning, or after ^, is a member
            at += pattern.startsWith("[^", at) ? 3 : 2;
            while (at < pattern.length() && pattern.charAt(at) != ']') {
                at += pattern.charAt(at) == '\\' ? 2 : 1;
            }
            at = Math.min(at + 1, pattern.length());
            String members = pattern.substring(from, at);
            long ranges = members.length();
            boolean unicode = members.contains("\\p") || members.contains("\\P");
            return 1 + ranges / 4 + (unicode ? UNICODE_CLASS : 0);
        }
        at++;
        return 1;
    }

    /** Reads a counted repeat such as {@code {2,5}}; one that is not well-formed is text. */
    private long repeats() {
        int end = pattern.indexOf('}', at);
        String counts = end < 0 ? "" : pattern.substring(at + 1, end);
        if (!counts.matches("\\d{1,9}(,\\d{0,9})?")) {
            at++;
            return 2;
        }
        at = end + 1;
        int comma = counts.indexOf(',');
        String most = comma < 0 || comma == counts.length() - 1 ? counts.replace(",", "") : counts.substring(comma + 1);
        return Math.max(1, Long.parseLong(most));
    }
}
