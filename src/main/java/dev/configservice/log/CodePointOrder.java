package dev.configservice.log;

import java.util.Comparator;
import java.util.List;

/**
 * The order of strings by their code points, as in PostgreSQL's collation "C". The order of UTF-16, which Java uses,
 * differs for characters outside the Basic Multilingual Plane.
 */
public enum CodePointOrder implements Comparator<String> {
    INSTANCE;

    /** Compares lists of as many strings, by the first ones that differ. */
    public static int compare(List<String> a, List<String> b) {
        for (int i = 0; i < a.size(); i++) {
            int order = INSTANCE.compare(a.get(i), b.get(i));
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    @Override
    public int compare(String a, String b) {
        int n = Math.min(a.length(), b.length());
        for (int i = 0; i < n; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean xs = Character.isSurrogate(x);
                return xs == Character.isSurrogate(y) ? Character.compare(x, y) : (xs ? 1 : -1);
            }
        }
        return Integer.compare(a.length(), b.length());
    }
}
