package client;

import com.ecwid.consul.v1.ConsulClient;
import com.ecwid.consul.v1.OperationException;
import com.ecwid.consul.v1.QueryParams;
import com.ecwid.consul.v1.Response;
import com.ecwid.consul.v1.agent.model.NewService;
import com.ecwid.consul.v1.health.HealthServicesRequest;
import com.ecwid.consul.v1.health.model.HealthService;
import com.ecwid.consul.v1.kv.model.GetValue;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The client of Ecwid, whose callers wait for changes by themselves. */
final class EcwidClient implements Client {
    private final ConsulClient consul;
    private final String token;
    private final String name;
    private final int port;
    private final String id;

    EcwidClient(int consulPort, String token, String name, int port) {
        this.consul = new ConsulClient("127.0.0.1", consulPort);
        this.token = token;
        this.name = name;
        this.port = port;
        this.id = name + ":" + port;
    }

    @Override
    public void register() {
        NewService service = new NewService();
        service.setId(id);
        service.setName(name);
        service.setAddress("127.0.0.1");
        service.setPort(port);
        service.setTags(List.of("test"));
        service.setMeta(Map.of("zone", "test"));
        NewService.Check check = new NewService.Check();
        check.setTtl("5s");
        service.setCheck(check);
        consul.agentServiceRegister(service, token);
    }

    @Override
    public void pass() {
        consul.agentCheckPass("service:" + id, "well", token);
    }

    @Override
    public void leave() {
        consul.agentServiceDeregister(id, token);
    }

    /** A read that waits until its index moves on. */
    private interface Read<T> extends Function<QueryParams, Response<T>> {}

    private static <T> void follow(Read<T> read, Function<T, Map<String, String>> view, Map<String, String> into) {
        Thread thread = new Thread(() -> {
            long index = -1;
            while (true) {
                try {
                    Response<T> answer = read.apply(new QueryParams(20, index));
                    Main.replace(into, answer.getValue() == null ? Map.of() : view.apply(answer.getValue()));
                    index = answer.getConsulIndex();
                } catch (OperationException | com.ecwid.consul.transport.TransportException e) {
                    index = -1;
                    try {
                        Thread.sleep(200);
                    } catch (InterruptedException stop) {
                        return;
                    }
                }
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void watch(String key, Map<String, String> instances, Map<String, String> values) {
        Read<List<HealthService>> health = params -> consul.getHealthServices(
                name,
                HealthServicesRequest.newBuilder()
                        .setPassing(true)
                        .setQueryParams(params)
                        .setToken(token)
                        .build());
        follow(
                health,
                found -> {
                    Map<String, String> now = new TreeMap<>();
                    found.forEach(s -> now.put(
                            s.getService().getId(),
                            s.getService().getAddress() + ":" + s.getService().getPort()));
                    return now;
                },
                instances);
        Read<List<GetValue>> keys = params -> consul.getKVValues(key, token, params);
        follow(
                keys,
                found -> {
                    Map<String, String> now = new TreeMap<>();
                    found.forEach(v -> now.put(v.getKey(), v.getDecodedValue()));
                    return now;
                },
                values);
    }

    @Override
    public void put(String key, String value) {
        consul.setKVValue(key, value, token, null);
    }

    @Override
    public String get(String key) {
        GetValue value = consul.getKVValue(key, token).getValue();
        return value == null ? "" : value.getDecodedValue();
    }
}
