package dev.configservice.config;

import dev.configservice.http.Page;
import dev.configservice.http.Request;
import dev.configservice.json.StringRule;
import dev.configservice.log.CodePointOrder;
import dev.configservice.log.Resource;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An order of a list of configurations: by key, or by the last change of each, which is the order of revisions. */
record ListOrder(boolean isByKey, boolean isDescending) implements Comparator<Resource> {
    static final String PARAMETER = "sort";

    static final StringRule RULE =
            StringRule.oneOf(List.of("key", "-key", "updated_at", "-updated_at", "revision", "-revision"));

    /** Returns the order that a request asks for; null stands for that of keys. */
    static ListOrder of(@Nullable String sort) {
        return sort == null ? new ListOrder(true, false) : new ListOrder(sort.endsWith("key"), sort.startsWith("-"));
    }

    Page page(Request request) {
        return Page.of(request, isByKey ? 3 : 1);
    }

    /** Returns the order in SQL. */
    String sql() {
        String direction = isDescending ? " desc" : "";
        return isByKey
                ? "name" + direction + ", environment" + direction + ", service_name" + direction
                : "revision" + direction;
    }

    /** Returns the condition that a row comes after the one with some sort key, with a placeholder for each value. */
    String after() {
        String beyond = isDescending ? " < " : " > ";
        return isByKey ? "(name, environment, service_name)" + beyond + "(?, ?, ?)" : "revision" + beyond + "?";
    }

    Object[] values(List<String> key) {
        return isByKey ? key.toArray() : new Object[] {number(key)};
    }

    private static long number(List<String> key) {
        try {
            return Long.parseLong(key.get(0));
        } catch (NumberFormatException e) {
            throw Page.invalidToken();
        }
    }

    /** Returns the sort key of a resource. */
    List<String> key(Resource r) {
        return isByKey ? List.of(r.name(), r.environment(), r.serviceName()) : List.of(Long.toString(r.revision()));
    }

    boolean isAfter(Resource r, List<String> key) {
        int order = isByKey ? CodePointOrder.compare(key(r), key) : Long.compare(r.revision(), number(key));
        return isDescending ? order < 0 : order > 0;
    }

    @Override
    public int compare(Resource a, Resource b) {
        int order = isByKey ? CodePointOrder.compare(key(a), key(b)) : Long.compare(a.revision(), b.revision());
        return isDescending ? -order : order;
    }
}
