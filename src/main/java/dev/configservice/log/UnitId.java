package dev.configservice.log;

/**
 * The id of a unit: all resources of one kind in one environment that belong to one service. A unit is always read as a
 * whole. Environment and service name are empty if the resources have none.
 */
public record UnitId(String kind, String environment, String serviceName) {
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
