package client;

import java.util.Map;

/** The use of a client of Consul. */
interface Client {
    /** Registers the service, with a check that has a TTL of five seconds. */
    void register() throws Exception;

    /** Says that the check passes. Fails if Consul does not know it. */
    void pass() throws Exception;

    void leave() throws Exception;

    /** Follows the instances that pass, and a key with all below it, into these maps. */
    void watch(String key, Map<String, String> instances, Map<String, String> values) throws Exception;

    void put(String key, String value) throws Exception;

    String get(String key) throws Exception;
}
