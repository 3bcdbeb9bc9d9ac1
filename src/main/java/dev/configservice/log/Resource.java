package dev.configservice.log;

import dev.configservice.secret.Sealed;

/**
 * A resource as it is stored.
 *
 * @param kind the name of its kind, e.g. {@code feature_flag}
 * @param id the id, unique within the kind
 * @param environment the environment; empty if it has none
 * @param serviceName the name of the service; empty if it has none
 * @param name the name; environment, service name and name together are the path, which is unique within the kind
 * @param version the number of this state, counted from 1; a deletion counts as a state
 * @param revision the revision of the change that led to this state
 * @param fence a number that never decreases; a write with a fence takes effect only if its fence is higher
 * @param row the fields, without secrets
 * @param sealed the secret, encrypted; empty if there is none
 */
public record Resource(
        String kind,
        String id,
        String environment,
        String serviceName,
        String name,
        long version,
        long revision,
        long fence,
        ResourceRow row,
        Sealed sealed) {

    public UnitId unit() {
        return new UnitId(kind, environment, serviceName);
    }

    public boolean isSealed() {
        return !sealed.isEmpty();
    }
}
