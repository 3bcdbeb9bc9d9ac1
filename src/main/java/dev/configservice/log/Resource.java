package dev.configservice.log;

import dev.configservice.secret.Sealed;

/**
 * A resource as it is kept.
 *
 * @param kind configuration, feature_flag, service or access_key
 * @param id what the resource is known by, within its kind
 * @param environment empty if it has none
 * @param serviceName empty if it has none
 * @param name what it is called within environment and service: with them, its path
 * @param version counts the states of this resource, from 1; a deletion counts
 * @param revision the revision that made this state
 * @param fence a number that only rises; a write that carries one must carry a higher one
 * @param row its fields as JSON, without what is secret
 * @param sealed what is secret, encrypted; empty if nothing is
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
        String row,
        Sealed sealed) {

    public UnitId unit() {
        return new UnitId(kind, environment, serviceName);
    }

    public boolean isSealed() {
        return !sealed.isEmpty();
    }
}
