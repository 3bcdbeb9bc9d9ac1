package dev.configservice.log;

import org.jspecify.annotations.Nullable;

/**
 * The id of a unit: all resources of one kind in one environment that belong to one service. A unit is always read as a
 * whole. Environment and service name are empty if the resources have none.
 */
public record UnitId(String kind, String environment, String serviceName) {
    /** The kind of the marks of {@link #mark}, which is not the kind of any resource. */
    static final String MARK = "~";

    /** The number of marks of a kind. */
    static final int MARKS = 256;

    // units are looked up on every path, and the methods that a record is given are slow there
    @Override
    public int hashCode() {
        return 31 * (31 * environment.hashCode() + serviceName.hashCode()) + kind.hashCode();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UnitId unit
                && serviceName.equals(unit.serviceName)
                && environment.equals(unit.environment)
                && kind.equals(unit.kind);
    }

    /** Returns the number of the mark, as the function {@code unit_mark} in the database does. */
    int markNumber() {
        return (31 * environment.hashCode() + serviceName.hashCode()) & (MARKS - 1);
    }

    /**
     * Returns the unit whose revision is that of the last change after which any of some units had no resources. Units
     * without resources are forgotten: what remains of them is this number, so that a tag never goes back.
     */
    UnitId mark() {
        return new UnitId(MARK, kind, Integer.toString(markNumber()));
    }

    /** Returns the id as a string, its parts separated by slashes; no part can contain a slash. */
    public String key() {
        return kind + "/" + environment + "/" + serviceName;
    }

    public static UnitId parse(String key) {
        int first = key.indexOf('/');
        int second = key.indexOf('/', first + 1);
        return new UnitId(key.substring(0, first), key.substring(first + 1, second), key.substring(second + 1));
    }
}
