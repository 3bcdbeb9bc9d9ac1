package client;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.consul.CheckOptions;
import io.vertx.ext.consul.ConsulClient;
import io.vertx.ext.consul.ConsulClientOptions;
import io.vertx.ext.consul.KeyValue;
import io.vertx.ext.consul.ServiceOptions;
import io.vertx.ext.consul.Watch;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The client of Vert.x, with its watches. */
final class VertxClient implements Client {
    private final Vertx vertx = Vertx.vertx();
    private final ConsulClientOptions options;
    private final ConsulClient consul;
    private final String name;
    private final int port;
    private final String id;

    VertxClient(int consulPort, String token, String name, int port) {
        options = new ConsulClientOptions();
        options.setHost("127.0.0.1").setPort(consulPort);
        options.setAclToken(token);
        this.consul = ConsulClient.create(vertx, options);
        this.name = name;
        this.port = port;
        this.id = name + ":" + port;
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Override
    public void register() throws Exception {
        get(consul.registerService(new ServiceOptions()
                .setId(id)
                .setName(name)
                .setAddress("127.0.0.1")
                .setPort(port)
                .setTags(List.of("test"))
                .setMeta(Map.of("zone", "test"))
                .setCheckOptions(new CheckOptions().setTtl("5s"))));
    }

    @Override
    public void pass() throws Exception {
        get(consul.passCheck("service:" + id));
    }

    @Override
    public void leave() throws Exception {
        get(consul.deregisterService(id));
    }

    @Override
    public void watch(String key, Map<String, String> instances, Map<String, String> values) {
        Watch.service(name, vertx, new ConsulClientOptions(options))
                .setHandler(seen -> {
                    if (seen.succeeded()) {
                        Map<String, String> now = new TreeMap<>();
                        seen.nextResult().getList().stream()
                                .filter(s -> s.getChecks().stream()
                                        .allMatch(c -> c.getStatus() == io.vertx.ext.consul.CheckStatus.PASSING))
                                .forEach(s -> now.put(
                                        s.getService().getId(),
                                        s.getService().getAddress() + ":"
                                                + s.getService().getPort()));
                        Main.replace(instances, now);
                    }
                })
                .start();
        Watch.keyPrefix(key, vertx, new ConsulClientOptions(options))
                .setHandler(seen -> {
                    if (seen.succeeded()) {
                        Map<String, String> now = new TreeMap<>();
                        List<KeyValue> list = seen.nextResult().getList();
                        if (list != null) {
                            list.forEach(v -> now.put(v.getKey(), v.getValue()));
                        }
                        Main.replace(values, now);
                    }
                })
                .start();
    }

    @Override
    public void put(String key, String value) throws Exception {
        get(consul.putValue(key, value));
    }

    @Override
    public String get(String key) throws Exception {
        KeyValue value = get(consul.getValue(key));
        return value.isPresent() ? value.getValue() : "";
    }
}
