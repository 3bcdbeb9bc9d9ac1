package dev.configservice.log;

/**
 * The id of a unit, which is read as a whole: all resources of a kind in one environment that belong to one service.
 * Environment and service name are empty if the resources have none.
 */
public record UnitId(String kind, String environment, String serviceName) {
    /** The unit as one text; its parts cannot hold a slash. */
    public String key() {
        return kind + "/" + environment + "/" + serviceName;
    }

    public static UnitId parse(String key) {
        int first = key.indexOf('/');
        int second = key.indexOf('/', first + 1);
        return new UnitId(key.substring(0, first), key.substring(first + 1, second), key.substring(second + 1));
    }
}
