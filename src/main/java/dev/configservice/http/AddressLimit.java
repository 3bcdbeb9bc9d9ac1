package dev.configservice.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * A limit of what the clients at one address may have open on this node at the same time. It is off by default, because
 * behind a load balancer all clients have one address. Used by all event loops.
 */
public final class AddressLimit {
    private final int max;
    private final ConcurrentMap<String, Integer> open = new ConcurrentHashMap<>();
    private final Counter refused;

    private AddressLimit(int max, String what, MeterRegistry meters) {
        this.max = max;
        this.refused = Counter.builder("config_service_address_limit_refusals")
                .description("Connections and streams that were refused because their address had too many")
                .tag("of", what)
                .register(meters);
    }

    /** Creates a limit of connections; 0 stands for none. */
    public static AddressLimit ofConnections(int max, MeterRegistry meters) {
        return new AddressLimit(max, "connections", meters);
    }

    /** Creates a limit of streams; 0 stands for none. */
    public static AddressLimit ofStreams(int max, MeterRegistry meters) {
        return new AddressLimit(max, "streams", meters);
    }

    /** Takes a place for an address. Returns false if it has none left; otherwise the place must be {@link #leave left}. */
    boolean enter(String address) {
        if (max == 0) {
            return true;
        }
        boolean[] entered = new boolean[1];
        open.compute(address, (a, n) -> {
            int now = n == null ? 0 : n;
            entered[0] = now < max;
            return entered[0] ? now + 1 : n;
        });
        if (!entered[0]) {
            refused.increment();
        }
        return entered[0];
    }

    void leave(String address) {
        if (max > 0) {
            open.computeIfPresent(address, (a, n) -> n == 1 ? null : n - 1);
        }
    }
}
