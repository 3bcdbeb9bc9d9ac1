package dev.configservice.facade.consul;

import dev.configservice.config.Configurations;
import dev.configservice.json.StringRule;
import dev.configservice.log.UnitId;
import org.jspecify.annotations.Nullable;

/**
 * The keys of Consul as paths of configurations. {@code config/<service>[,<environment>]/a/b} is the configuration {@code
 * a.b} of a service; the service {@code application} stands for what all services share. Any other key {@code a/b} is the
 * shared configuration {@code a:b} of an environment that holds nothing else.
 *
 * @param baseEnvironment the environment of a service for which none is named
 * @param otherEnvironment the environment of all other keys
 */
record KeyPaths(String baseEnvironment, String otherEnvironment) {
    private static final String CONFIG = "config/";
    private static final String SHARED = "application";

    /**
     * The layer of a key, and the key there.
     *
     * @param before what comes before the key in Consul, with a slash at its end; empty for other keys
     * @param key the key, or the beginning of several
     */
    record Place(UnitId layer, String before, String key) {
        String environment() {
            return layer.environment();
        }

        String service() {
            return layer.serviceName();
        }

        /** Returns the key in Consul of a configuration in this layer. */
        String shown(String configuration) {
            return before + (before.isEmpty() ? configuration.replace(':', '/') : configuration.replace('.', '/'));
        }
    }

    /** Returns the place of a key, or of the keys that begin with it; null if they may be in several layers, or in none. */
    @Nullable
    Place place(String key) {
        if (!key.startsWith(CONFIG)) {
            return isOfSeveral(key) || key.indexOf(':') >= 0
                    ? null
                    : new Place(Configurations.unit(otherEnvironment, ""), "", key.replace('/', ':'));
        }
        int end = key.indexOf('/', CONFIG.length());
        if (end < 0) {
            return null;
        }
        String context = key.substring(CONFIG.length(), end);
        int comma = context.indexOf(',');
        String service = comma < 0 ? context : context.substring(0, comma);
        String environment = comma < 0 ? baseEnvironment : context.substring(comma + 1);
        if (StringRule.NAME.problem(service) != null || StringRule.NAME.problem(environment) != null) {
            return null;
        }
        return new Place(
                Configurations.unit(environment, service.equals(SHARED) ? "" : service),
                key.substring(0, end + 1),
                key.substring(end + 1).replace('/', '.'));
    }

    /** Tells whether keys that begin so may be in several layers. */
    boolean isOfSeveral(String prefix) {
        return CONFIG.startsWith(prefix) || (prefix.startsWith(CONFIG) && prefix.indexOf('/', CONFIG.length()) < 0);
    }

    /** Returns the place of all keys of a layer that begin with a prefix; null if there can be none. */
    @Nullable
    Place within(UnitId layer, String prefix) {
        if (layer.environment().equals(otherEnvironment) && layer.serviceName().isEmpty()) {
            return prefix.startsWith(CONFIG) ? null : new Place(layer, "", prefix.replace('/', ':'));
        }
        if (layer.serviceName().equals(SHARED)) {
            return null;
        }
        String before = CONFIG
                + (layer.serviceName().isEmpty() ? SHARED : layer.serviceName())
                + (layer.environment().equals(baseEnvironment) ? "/" : "," + layer.environment() + "/");
        return before.startsWith(prefix) ? new Place(layer, before, "") : null;
    }

    /** Tells whether a key of the other environment can be reached: one below {@code config/} cannot. */
    static boolean isReachable(String key) {
        return !key.startsWith(CONFIG);
    }
}
