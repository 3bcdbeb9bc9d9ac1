package dev.configservice.postgres;

import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A page of rows.
 *
 * @param more whether there are rows after it
 */
public record Rows<T>(List<T> items, boolean more) {
    public Rows {
        items = List.copyOf(items);
    }

    /**
     * Converts the result of a statement that {@link Select#whole} has made, whose innermost limit is one more than
     * {@code limit}.
     */
    public static <T> Rows<T> of(RowSet<Row> rows, int limit, Function<Row, T> read) {
        List<T> items = new ArrayList<>(rows.size());
        long found = 0;
        for (Row row : rows) {
            found = row.getLong(Select.FOUND);
            if (items.size() < limit) {
                items.add(read.apply(row));
            }
        }
        return new Rows<>(items, found > items.size());
    }
}
