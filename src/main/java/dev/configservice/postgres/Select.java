package dev.configservice.postgres;

import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A select statement with only those filters that a caller gives, which leads to better query plans. Each {@code ?} in
 * a condition is a placeholder for a value.
 */
public final class Select {
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

    /** Ends the statement with an order and a limit on the number of rows. */
    public Select orderBy(String order, int limit) {
        sql.append("\norder by ").append(order).append(" limit ");
        append("?", List.of(limit));
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
