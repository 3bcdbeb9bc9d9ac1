package dev.configservice.registry.lease;

import java.time.Duration;

/**
 * An instance as far as its lease is concerned.
 *
 * @param key the key of the lease, see {@link #key(String, String)}
 * @param lease how long the lease lasts when it is renewed
 * @param generation the generation of the last decision on its status that the log has
 * @param isExpired whether the log has it that the lease ended
 */
public record LeaseHolder(String key, Duration lease, long generation, boolean isExpired) {
    /** The key of the lease of an instance. */
    public static String key(String serviceName, String instanceId) {
        return instanceId + "@" + serviceName;
    }

    /** The service of a key. */
    public static String serviceName(String key) {
        return key.substring(key.lastIndexOf('@') + 1);
    }

    /** The instance of a key. */
    public static String instanceId(String key) {
        return key.substring(0, key.lastIndexOf('@'));
    }
}
