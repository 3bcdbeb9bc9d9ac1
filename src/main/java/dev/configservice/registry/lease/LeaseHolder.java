package dev.configservice.registry.lease;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The data of an instance that its lease needs.
 *
 * @param key the key of the lease, see {@link #key(String, String)}
 * @param lease the duration that each renewal gives the lease
 * @param removal the time from the end of the lease to the removal of the instance; null for ten leases
 * @param generation the generation of the last decision on its status in the log
 * @param isExpired whether the instance is unhealthy in the log, so that a new lease counts as expired once
 */
public record LeaseHolder(
        String key, Duration lease, @Nullable Duration removal, long generation, boolean isExpired) {
    /** Returns the key of the lease of an instance. */
    public static String key(String serviceName, String instanceId) {
        return instanceId + "@" + serviceName;
    }

    /** Returns the service name in a key. */
    public static String serviceName(String key) {
        return key.substring(key.lastIndexOf('@') + 1);
    }

    /** Returns the instance id in a key. */
    public static String instanceId(String key) {
        return key.substring(0, key.lastIndexOf('@'));
    }
}
