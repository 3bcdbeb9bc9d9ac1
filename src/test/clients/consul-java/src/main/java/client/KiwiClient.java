package client;

import java.util.Map;
import java.util.TreeMap;
import org.kiwiproject.consul.Consul;
import org.kiwiproject.consul.cache.KVCache;
import org.kiwiproject.consul.cache.ServiceHealthCache;
import org.kiwiproject.consul.model.agent.ImmutableRegistration;
import org.kiwiproject.consul.model.agent.Registration;

/** The client of the Kiwi project, with its caches. */
final class KiwiClient implements Client {
    private final Consul consul;
    private final String name;
    private final int port;
    private final String id;

    KiwiClient(int consulPort, String token, String name, int port) {
        this.consul = Consul.builder()
                .withUrl("http://127.0.0.1:" + consulPort)
                .withTokenAuth(token)
                .withPing(false)
                // longer than a cache waits
                .withReadTimeoutMillis(20_000)
                .build();
        this.name = name;
        this.port = port;
        this.id = name + ":" + port;
    }

    @Override
    public void register() {
        consul.agentClient()
                .register(ImmutableRegistration.builder()
                        .id(id)
                        .name(name)
                        .address("127.0.0.1")
                        .port(port)
                        .addTags("test")
                        .putMeta("zone", "test")
                        .check(Registration.RegCheck.ttl(5L))
                        .build());
    }

    @Override
    public void pass() throws Exception {
        consul.agentClient().pass(id);
    }

    @Override
    public void leave() {
        consul.agentClient().deregister(id);
    }

    @Override
    public void watch(String key, Map<String, String> instances, Map<String, String> values) {
        ServiceHealthCache health = ServiceHealthCache.newCache(consul.healthClient(), name);
        health.addListener(found -> {
            Map<String, String> now = new TreeMap<>();
            found.values()
                    .forEach(s -> now.put(
                            s.getService().getId(),
                            s.getService().getAddress() + ":" + s.getService().getPort()));
            Main.replace(instances, now);
        });
        health.start();
        KVCache keys = KVCache.newCache(consul.keyValueClient(), key, 9);
        keys.addListener(found -> {
            Map<String, String> now = new TreeMap<>();
            found.values().forEach(v -> now.put(v.getKey(), v.getValueAsString().orElse("")));
            Main.replace(values, now);
        });
        keys.start();
    }

    @Override
    public void put(String key, String value) {
        consul.keyValueClient().putValue(key, value);
    }

    @Override
    public String get(String key) {
        return consul.keyValueClient().getValueAsString(key).orElse("");
    }
}
