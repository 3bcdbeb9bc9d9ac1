package dev.configservice.postgres;

import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A select statement with only those filters that a caller gives, which leads to better query plans. Each {@code ?} in
 * a condition is a placeholder for a value.
 */
public final class Select {
    /** The size of the rows of a page, beyond which it ends. */
    public static final int PAGE_BYTES = 4 << 20;

    /** The column with the number of rows that the inner statement of {@link #whole} found. */
    static final String FOUND = "found";

    private static final Pattern PLACEHOLDER = Pattern.compile("\\$(\\d+)");

    private final StringBuilder sql;
    private final Tuple arguments = Tuple.tuple();
    private boolean hasCondition;

    /**
     * Begins a statement.
     *
     * @param select everything before {@code where}; each {@code ?} is a placeholder for one of {@code values}
     */
    public Select(String select, Object... values) {
        sql = new StringBuilder();
        append(select, List.of(values));
    }

    /** Adds a condition. */
    public Select where(String condition, Object... values) {
        sql.append(hasCondition ? "\n  and (" : "\nwhere (");
        hasCondition = true;
        append(condition, List.of(values));
        sql.append(')');
        return this;
    }

    /** Adds a condition on one value, unless the value is null. */
    public Select whereGiven(String condition, @Nullable Object value) {
        return value == null ? this : where(condition, value);
    }

    /** Adds the condition that a column, whose collation is "C", begins with a prefix; null adds none. */
    public Select wherePrefix(String column, @Nullable String prefix) {
        if (prefix == null || prefix.isEmpty()) {
            return this;
        }
        int last = prefix.codePointBefore(prefix.length());
        if (last == Character.MAX_CODE_POINT) {
            return where(column + " >= ? and starts_with(" + column + ", ?)", prefix, prefix);
        }
        // as a range, for which an index is used; surrogates are no characters
        int next = last + 1 == Character.MIN_SURROGATE ? Character.MAX_SURROGATE + 1 : last + 1;
        String beyond = prefix.substring(0, prefix.length() - Character.charCount(last)) + Character.toString(next);
        return where(column + " >= ? and " + column + " < ?", prefix, beyond);
    }

    /** Adds the condition that a column contains a string; null adds none. */
    public Select whereContains(String column, @Nullable String part) {
        return part == null
                ? this
                : where(column + " <> '' and " + column + " like ?", "%" + part.replaceAll("[\\\\%_]", "\\\\$0") + "%");
    }

    /**
     * Adds the condition that a column is within a scope: it equals one of the names, or it begins with the part before
     * {@code *} of a name that ends with {@code *}. An empty list of names adds no condition.
     *
     * @param orEmpty whether rows whose column is empty are within every scope
     */
    public Select whereWithin(String column, List<String> names, boolean orEmpty) {
        if (names.isEmpty()) {
            return this;
        }
        List<String> conditions = new ArrayList<>();
        List<Object> values = new ArrayList<>();
        if (orEmpty) {
            conditions.add(column + " = ''");
        }
        for (String name : names) {
            boolean isPrefix = name.endsWith("*");
            conditions.add(isPrefix ? "starts_with(" + column + ", ?)" : column + " = ?");
            values.add(isPrefix ? name.substring(0, name.length() - 1) : name);
        }
        return where(String.join(" or ", conditions), values.toArray());
    }

    /** Adds the condition that a column is among the results of another statement. */
    public Select whereIn(String column, Select among) {
        sql.append(hasCondition ? "\n  and (" : "\nwhere (").append(column).append(" in (");
        hasCondition = true;
        String inner = among.sql.toString();
        // the other's placeholders are numbered from its own first one on
        Matcher m = PLACEHOLDER.matcher(inner);
        int before = arguments.size();
        StringBuilder renumbered = new StringBuilder();
        while (m.find()) {
            m.appendReplacement(renumbered, "\\$" + (before + Integer.parseInt(m.group(1))));
        }
        sql.append(m.appendTail(renumbered)).append("))");
        for (int i = 0; i < among.arguments.size(); i++) {
            arguments.addValue(among.arguments.getValue(i));
        }
        return this;
    }

    /** Ends the statement with an order and a limit on the number of rows. */
    public Select orderBy(String order, int limit) {
        sql.append("\norder by ").append(order).append(" limit ");
        append("?", List.of(limit));
        return this;
    }

    /** Ends the statement with a text in which each {@code ?} is a placeholder for a value. */
    public Select end(String text, Object... values) {
        append("\n" + text, List.of(values));
        return this;
    }

    /**
     * Makes this statement, which selects the keys of rows and their sizes as {@code bytes}, the inner part of one that
     * reads the rows whole: in the same order, but only as many as have about {@value #PAGE_BYTES} bytes together. The
     * first is always read. So a page of large rows takes no more memory than a page of small ones.
     *
     * @param columns the columns of the result; those of this statement are in {@code q}
     * @param join the join of {@code q} with the table of the rows
     * @param order the order of this statement, in terms of its columns
     */
    public Select whole(String columns, String join, String order) {
        sql.insert(
                0,
                "select " + columns + ", q." + FOUND + " from (select k.*, row_number() over w as place,"
                        + " sum(k.bytes) over w - k.bytes as before, count(*) over () as " + FOUND + " from (\n");
        sql.append("\n) k window w as (order by ")
                .append(order)
                .append(")) q ")
                .append(join)
                .append(" where q.before < ")
                .append(PAGE_BYTES)
                .append(" order by q.place");
        return this;
    }

    private void append(String text, List<Object> values) {
        long places = text.chars().filter(c -> c == '?').count();
        if (places != values.size()) {
            throw new IllegalArgumentException(values.size() + " values for " + places + " placeholders in: " + text);
        }
        int next = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '?') {
                arguments.addValue(values.get(next++));
                sql.append('$').append(arguments.size());
            } else {
                sql.append(c);
            }
        }
    }

    public String sql() {
        return sql.toString();
    }

    public Tuple arguments() {
        return arguments;
    }
}
