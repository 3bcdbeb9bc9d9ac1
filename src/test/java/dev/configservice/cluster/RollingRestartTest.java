package dev.configservice.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Keysets;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three nodes that are restarted one after the other under load, behind a load balancer that checks readiness. */
@Tag("servers")
class RollingRestartTest {
    private final List<Api> ready = new CopyOnWriteArrayList<>();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Map<String, Long> written = new java.util.concurrent.ConcurrentHashMap<>();
    private final AtomicInteger turns = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();

    private Api next() {
        List<Api> now = List.copyOf(ready);
        return now.get(Math.floorMod(turns.getAndIncrement(), now.size()));
    }

    /** Acts as a load balancer: a node that is not ready gets no new requests. */
    private void look(List<Api> all) {
        for (Api node : all) {
            boolean isReady;
            try {
                isReady = node.get("/ready").status() == 200;
            } catch (RuntimeException e) {
                isReady = false;
            }
            if (!isReady) {
                ready.remove(node);
            } else if (!ready.contains(node)) {
                ready.add(node);
            }
        }
    }

    private void read() {
        try {
            Reply reply = next().get("/config/rolling?environment=e");
            reads.incrementAndGet();
            if (reply.status() != 200) {
                failures.add("read: " + reply.status() + " " + reply.text());
            }
        } catch (RuntimeException e) {
            failures.add("read: " + e);
        }
    }

    private void write(int i) {
        try {
            Reply reply = next().key(TestNode.ADMIN_KEY)
                    .post("/config", "{\"key\":\"w" + i + "\",\"value\":" + i + ",\"environment\":\"e\"}");
            if (reply.status() == 201) {
                written.put("w" + i, reply.revision());
            } else {
                failures.add("write: " + reply.status() + " " + reply.text());
            }
        } catch (RuntimeException e) {
            failures.add("write: " + e);
        }
    }

    private void beat() {
        try {
            Reply reply = next().key(TestNode.ADMIN_KEY)
                    .put("/registry/health", "{\"service_name\":\"s\",\"status\":\"healthy\"}");
            if (reply.status() != 200) {
                failures.add("heartbeat: " + reply.status() + " " + reply.text());
            }
        } catch (RuntimeException e) {
            failures.add("heartbeat: " + e);
        }
    }

    private static List<Map<String, String>> settings() {
        List<Integer> ports = List.of(Ports.free(), Ports.free(), Ports.free());
        List<Map<String, String>> all = new ArrayList<>();
        String database = TestServers.newDatabase();
        String name = "rolling-" + UUID.randomUUID();
        for (int port : ports) {
            Map<String, String> one = new HashMap<>();
            one.put("CS_HTTP_HOST", "127.0.0.1");
            one.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
            one.put("CS_CLUSTER_NAME", name);
            one.put("CS_CLUSTER_PORT", Integer.toString(port));
            one.put(
                    "CS_CLUSTER_MEMBERS",
                    String.join(",", ports.stream().map(p -> "127.0.0.1:" + p).toList()));
            one.put("CS_ACCESS_ADMIN_KEY", TestNode.ADMIN_KEY);
            one.put("CS_POSTGRES_URI", database);
            one.put("CS_REDIS_URI", TestServers.get().redisUri());
            one.put("CS_SECRETS_KEYSET", Keysets.FIRST);
            all.add(one);
        }
        return all;
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // failures are collected in a list
    void aRollingRestartFailsNoReadLosesNoWriteAndExpiresNoLease() {
        List<Map<String, String>> settings = settings();
        List<NodeProcess> nodes = new ArrayList<>();
        ScheduledExecutorService load = Executors.newScheduledThreadPool(4);
        try {
            settings.forEach(s -> nodes.add(new NodeProcess(s)));
            nodes.forEach(NodeProcess::awaitReady);
            List<Api> all = nodes.stream().map(NodeProcess::api).toList();
            look(all);
            Api admin = all.get(0).key(TestNode.ADMIN_KEY);
            assertThat(admin.post("/config", "{\"key\":\"rolling\",\"value\":1,\"environment\":\"e\"}")
                            .status())
                    .isEqualTo(201);
            assertThat(admin.post(
                                    "/registry/register",
                                    "{\"service_name\":\"s\",\"service_url\":\"http://a:1\",\"lease_seconds\":5}")
                            .status())
                    .isEqualTo(200);
            AtomicInteger keys = new AtomicInteger();
            load.scheduleWithFixedDelay(() -> look(all), 0, 100, TimeUnit.MILLISECONDS);
            load.scheduleWithFixedDelay(this::read, 0, 5, TimeUnit.MILLISECONDS);
            load.scheduleWithFixedDelay(() -> write(keys.getAndIncrement()), 0, 20, TimeUnit.MILLISECONDS);
            load.scheduleWithFixedDelay(this::beat, 0, 1, TimeUnit.SECONDS);

            for (int i = 0; i < nodes.size(); i++) {
                assertThat(nodes.get(i).stop()).as(nodes.get(i).output()).isIn(0, 143);
                nodes.set(i, new NodeProcess(settings.get(i)));
                nodes.get(i).awaitReady();
            }

            load.shutdown();
            assertThat(load.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            assertThat(failures).isEmpty();
            assertThat(reads.get()).isGreaterThan(500);
            assertThat(written.size()).isGreaterThan(100);
            Api last = all.get(2);
            written.forEach(
                    (key, revision) -> assertThat(last.get("/config/" + key + "?environment=e&min_revision=" + revision)
                                    .status())
                            .as(key)
                            .isEqualTo(200));
            assertThat(last.get("/changes?resource_type=service").text()).doesNotContain("expired");
            System.out.println(
                    "rolling restart: " + reads.get() + " reads, " + written.size() + " writes, none failed");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } finally {
            load.shutdownNow();
            nodes.forEach(NodeProcess::close);
        }
    }
}
