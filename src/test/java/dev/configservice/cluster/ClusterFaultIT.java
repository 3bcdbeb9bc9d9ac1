package dev.configservice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.embedded.KafkaProcess;
import dev.configservice.testing.Clients;
import dev.configservice.testing.EventStream;
import dev.configservice.testing.Keysets;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNetwork;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestRedis;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Tools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.Jedis;

/**
 * Three core nodes and an edge under faults. They run the packaged jar in a network of their own, with PostgreSQL,
 * Redis and Kafka. {@code -Dfaults.rounds} sets the number of rounds, {@code -Dfaults.pause} the length of a pause in
 * seconds.
 */
class ClusterFaultIT {
    private static final int CORES = 3;
    private static final int NODES = 4;
    private static final int EDGE = 4;
    /** A host name that resolves to all nodes, like the name of a headless Kubernetes service. */
    private static final String GRID = "config-service-grid";

    private static final int ROUNDS = Integer.getInteger("faults.rounds", 1);
    private static final Duration PAUSE = Duration.ofSeconds(Integer.getInteger("faults.pause", 12));
    /** A substring of the names of the faults to run. An empty string selects all faults. */
    private static final String ONLY = System.getProperty("faults.only", "");

    private static final Duration SHORT = Duration.ofSeconds(4);
    private static final Path CLOCK = Path.of("target", "clock.so").toAbsolutePath();

    private final TestNetwork network = network();
    private final TestPostgres postgres = TestPostgres.open();
    private final TestRedis redis = new TestRedis(network.host());
    private final KafkaProcess kafka = new KafkaProcess(network.host());
    private final Path clock =
            Path.of("target", "clock-" + ProcessHandle.current().pid());
    private final Path keysets = TestServers.directory("keysets").toAbsolutePath();
    private String rotated = "";
    private @Nullable Thread losing;
    private final int[] ports =
            IntStream.rangeClosed(0, NODES).map(i -> Ports.free()).toArray();
    private final NodeProcess[] nodes = new NodeProcess[NODES + 1];
    private final Clients clients =
            new Clients(IntStream.rangeClosed(1, NODES).mapToObj(this::host).toList(), kafka.address());

    private static TestNetwork network() {
        Tools.require(TestNetwork.isPossible(), "needs root and iproute2, for a network whose parts can be cut");
        return new TestNetwork(NODES);
    }

    @AfterEach
    void stop() {
        clients.close();
        Arrays.stream(nodes).filter(n -> n != null).forEach(NodeProcess::close);
        kafka.close();
        redis.close();
        postgres.close();
        network.close();
    }

    private String host(int node) {
        return network.address(node) + ":" + ports[node];
    }

    /** Returns the keyset file of a node, which is a copy of the first keyset until it is replaced. */
    private Path keyset(int node) {
        Path file = keysets.resolve("keyset-" + node + ".json");
        try {
            if (!Files.exists(file)) {
                Files.copy(Path.of(Keysets.FIRST), file);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void start(int node) {
        Map<String, String> settings = new HashMap<>();
        settings.put("CS_HTTP_HOST", network.address(node));
        settings.put("CS_HTTP_PORT", Integer.toString(ports[node]));
        settings.put("CS_CLUSTER_HOST", network.address(node));
        settings.put("CS_CLUSTER_MEMBERS", "kubernetes");
        settings.put("CS_CLUSTER_KUBERNETES_DNS", GRID);
        settings.put("CS_ACCESS_ADMIN_KEY", TestNode.ADMIN_KEY);
        settings.put("CS_SECRETS_KEYSET", keyset(node).toString());
        if (node == EDGE) {
            settings.put("CS_CLUSTER_ROLE", "edge");
        } else {
            settings.put("CS_POSTGRES_URI", postgres.uri().replace("127.0.0.1", network.host()));
            settings.put("CS_REDIS_URI", redis.uri());
            settings.put("CS_KAFKA_BOOTSTRAP_SERVERS", kafka.address());
        }
        if (node == 3 && Files.exists(CLOCK)) {
            settings.put("LD_PRELOAD", CLOCK.toString());
            settings.put("CLOCK_OFFSET_FILE", clock.toAbsolutePath().toString());
        }
        nodes[node] = NodeProcess.ofJar(network.as(node), settings);
    }

    /** Builds the library that shifts a node's clock. Without a C compiler, the clock faults are left out. */
    private static void compileClock() {
        try {
            int code = new ProcessBuilder(
                            "cc",
                            "-shared",
                            "-fPIC",
                            "-O2",
                            "-o",
                            CLOCK.toString(),
                            "src/test/resources/clock.c",
                            "-ldl")
                    .inheritIO()
                    .start()
                    .waitFor();
            assertThat(code).isZero();
        } catch (IOException e) {
            Tools.require(false, "needs a C compiler, for the clock of a process: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void setClock(String offset) {
        try {
            Files.writeString(clock, offset);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A fault, with the actions that begin and end it. */
    private record Fault(String name, List<Integer> troubled, Duration lasts, Runnable begin, Runnable end) {}

    private Fault killed(int node) {
        return new Fault(
                "kill -9 of node " + node, List.of(node), Duration.ofSeconds(1), () -> nodes[node].kill(), () -> {
                    start(node);
                    nodes[node].awaitReady();
                });
    }

    private Fault paused(int node) {
        return new Fault(
                "node " + node + " paused for " + PAUSE.toSeconds() + " s",
                List.of(node),
                PAUSE,
                () -> nodes[node].hang(),
                () -> nodes[node].goOn());
    }

    private List<Fault> faults() {
        List<Fault> all = new ArrayList<>(List.of(
                killed(1),
                killed(EDGE),
                new Fault("PostgreSQL hangs", List.of(), SHORT, postgres::hang, postgres::goOn),
                new Fault("PostgreSQL killed", List.of(), SHORT, postgres::kill, postgres::start),
                new Fault("Redis hangs", List.of(), SHORT, redis::hang, redis::goOn),
                new Fault("Redis killed", List.of(), SHORT, redis::kill, redis::start),
                new Fault("Kafka hangs", List.of(), SHORT, kafka::hang, kafka::goOn),
                new Fault("Kafka killed", List.of(), SHORT, kafka::kill, kafka::start),
                paused(2),
                new Fault(
                        "nodes 1 and 2 cannot reach one another",
                        List.of(),
                        PAUSE,
                        () -> network.cutOff(1, List.of(2)),
                        network::heal),
                new Fault(
                        "node 3 receives from the others, but cannot send",
                        List.of(),
                        PAUSE,
                        () -> List.of(1, 2, EDGE).forEach(n -> network.cut(3, n)),
                        network::heal),
                new Fault(
                        "node 1 cut off from the others",
                        List.of(),
                        PAUSE,
                        () -> network.cutOff(1, List.of(2, 3, EDGE)),
                        network::heal),
                new Fault(
                        "the edge cut off from the core nodes",
                        List.of(),
                        PAUSE,
                        () -> network.cutOff(EDGE, List.of(1, 2, 3)),
                        network::heal)));
        all.add(new Fault(
                "Redis loses random keys while node 2 starts",
                List.of(2),
                SHORT,
                () -> losing = loseKeys(),
                this::startWhileRedisLoses));
        all.add(new Fault(
                "a synchronous standby does not answer",
                List.of(),
                SHORT,
                () -> waitForStandby("nobody"),
                () -> waitForStandby("")));
        all.add(new Fault(
                "the keyset replaced on one node after the other",
                List.of(),
                SHORT,
                this::replaceFirst,
                this::replaceAll));
        all.add(new Fault("node 3 comes and goes", List.of(3), Duration.ofSeconds(1), this::flap, () -> {}));
        if (Files.exists(CLOCK)) {
            all.add(new Fault("the clock of node 3 an hour ahead", List.of(), SHORT, () -> setClock("3600"), () -> {}));
            all.add(new Fault(
                    "the clock of node 3 two hours back",
                    List.of(),
                    SHORT,
                    () -> setClock("-3600"),
                    () -> setClock("0")));
        }
        return all;
    }

    /** Deletes a random key of Redis, or a random field of one, every few milliseconds. */
    private Thread loseKeys() {
        Thread thread = new Thread(() -> {
            Random random = new Random(7);
            try (Jedis client = redis.client()) {
                while (!Thread.currentThread().isInterrupted()) {
                    String key = client.randomKey();
                    if (key != null && random.nextBoolean()) {
                        client.del(key);
                    } else if (key != null) {
                        List<String> fields = new ArrayList<>(client.hkeys(key));
                        client.hdel(key, fields.isEmpty() ? "" : fields.get(random.nextInt(fields.size())));
                    }
                    TimeUnit.MILLISECONDS.sleep(5);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        thread.start();
        return thread;
    }

    /** Starts a node while Redis loses keys, and checks that it answers what exists. */
    private void startWhileRedisLoses() {
        Reply kept = write("kept-by-postgres");
        nodes[2].kill();
        start(2);
        nodes[2].awaitReady();
        assertThat(read(2, "kept-by-postgres", kept.revision()).status()).isEqualTo(200);
        Thread thread = losing;
        if (thread != null) {
            thread.interrupt();
        }
    }

    private void waitForStandby(String name) {
        TestNode.sql(postgres.uri(), "alter system set synchronous_standby_names = '" + name + "'");
        TestNode.sql(postgres.uri(), "select pg_reload_conf()");
    }

    private void replaceFirst() {
        rotated = Keysets.rotated();
        replaceKeyset(1);
        secretsAreReadableEverywhere("one");
    }

    private void replaceAll() {
        for (int node = 2; node <= NODES; node++) {
            replaceKeyset(node);
            secretsAreReadableEverywhere("node " + node);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            secretsAreReadableEverywhere("all");
            return TestNode.sql(
                            postgres.uri(),
                            "select count(distinct substring(sealed from 1 for 5)) from resources"
                                    + " where sealed is not null")
                    .get(0)
                    .get(0)
                    .equals("2");
        });
    }

    private void replaceKeyset(int node) {
        try {
            Path fresh = Files.writeString(keyset(node).resolveSibling("fresh-" + node), rotated);
            Files.move(fresh, keyset(node), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void secretsAreReadableEverywhere(String when) {
        for (int writer = 1; writer <= NODES; writer++) {
            String key = "secret-" + UUID.randomUUID();
            Reply written = nodes[writer]
                    .api()
                    .key(TestNode.ADMIN_KEY)
                    .post(
                            "/config",
                            "{\"key\":\"" + key + "\",\"value\":\"hidden\",\"environment\":\"restore\","
                                    + "\"is_encrypted\":true}");
            assertThat(written.status()).as(when + ": " + written.text()).isEqualTo(201);
            for (int reader = 1; reader <= NODES; reader++) {
                Reply read = nodes[reader]
                        .api()
                        .key(TestNode.ADMIN_KEY)
                        .with("X-Min-Revision", Long.toString(written.revision()))
                        .get("/config/" + key + "?environment=restore");
                assertThat(read.field("value"))
                        .as("%s: written by %d, read by %d: %s", when, writer, reader, read.text())
                        .isEqualTo("hidden");
            }
        }
    }

    /** Kills and starts node 3 again and again, until a lease that nobody renews has ended in spite of it. */
    private void flap() {
        assertThat(nodes[1].api()
                        .key(TestNode.ADMIN_KEY)
                        .post(
                                "/registry/register",
                                "{\"service_name\":\"flapped\",\"service_url\":\"http://a:1\",\"lease_seconds\":20}")
                        .status())
                .isEqualTo(200);
        long until = System.nanoTime() + Duration.ofSeconds(90).toNanos();
        do {
            assertThat(System.nanoTime()).as("the lease did not end").isLessThan(until);
            nodes[3].kill();
            start(3);
            nodes[3].awaitReady();
        } while (!nodes[1].api().get("/registry/flapped").field("status").equals("unhealthy"));
    }

    private String[] hosts(List<Integer> numbers) {
        return numbers.stream().map(this::host).toArray(String[]::new);
    }

    /** Waits while a fault lasts. The clients keep trying to write meanwhile. */
    private static void last(Duration duration) {
        await().pollDelay(duration).atMost(duration.plusSeconds(5)).until(() -> true);
    }

    private void awaitAllWell() {
        long revision = clients.lastRevision();
        await().atMost(Duration.ofMinutes(2)).ignoreExceptions().untilAsserted(() -> {
            for (int i = 1; i <= NODES; i++) {
                Reply metrics = nodes[i].api().get("/metrics");
                assertThat(metrics.text()).containsPattern("config_service_cluster_members\\{[^}]*} " + NODES + "\\.0");
                assertThat(metrics.revision()).isGreaterThanOrEqualTo(revision);
                assertThat(metrics.header("X-Config-Stale")).isEmpty();
            }
        });
        int writes = clients.writes();
        await().atMost(Duration.ofSeconds(20)).until(() -> clients.writes() > writes + 10);
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.HOURS)
    void noAcknowledgedWriteIsLostUnderFaults() {
        network.name(GRID, List.of(1, 2, 3, 4));
        compileClock();
        setClock("0");
        for (int i = 1; i <= NODES; i++) {
            start(i);
            if (i == CORES) {
                // an edge does not start without a core node
                nodes[1].awaitReady();
            }
        }
        Arrays.stream(nodes, 1, NODES + 1).forEach(NodeProcess::awaitReady);
        clients.start();
        awaitAllWell();
        for (int round = 0; round < ROUNDS; round++) {
            for (Fault fault : faults()) {
                if (!fault.name().contains(ONLY)) {
                    continue;
                }
                int before = clients.writes();
                int wrong = clients.violations().size();
                long began = System.nanoTime();
                clients.trouble(hosts(fault.troubled()));
                fault.begin().run();
                last(fault.lasts());
                int during = clients.writes() - before;
                fault.end().run();
                long ended = System.nanoTime();
                awaitAllWell();
                clients.over(hosts(fault.troubled()));
                System.out.printf(
                        "%-52s %5.1f s, %4d writes meanwhile; all well %.1f s after; %d violations%n",
                        fault.name(),
                        (ended - began) / 1e9,
                        during,
                        (System.nanoTime() - ended) / 1e9,
                        clients.violations().size() - wrong);
            }
        }
        clients.rest();
        long last = Long.parseLong(TestNode.sql(postgres.uri(), "select max(revision) from changes")
                .get(0)
                .get(0));
        await().atMost(Duration.ofSeconds(90)).until(() -> clients.followersHave(last));
        Clients.Verdict verdict = clients.verdict(postgres.uri());
        System.out.println(verdict.text());
        assertThat(verdict.violations()).isEmpty();
        clients.close();
        aRestoredDatabaseIsANewEpochEverywhere();
    }

    /**
     * Checks that after a restore no node serves or announces the lost revisions, and that new revisions are higher.
     */
    private void aRestoredDatabaseIsANewEpochEverywhere() {
        Reply kept = write("kept");
        postgres.stop();
        Path backup = postgres.backUp();
        postgres.start();
        Reply lost = write("lost");
        List<EventStream> streams = new ArrayList<>();
        for (int i = 1; i <= NODES; i++) {
            Reply read = nodes[i].api()
                    .with("X-Min-Revision", Long.toString(lost.revision()))
                    .get("/config/lost?environment=restore");
            assertThat(read.status()).as(read.text()).isEqualTo(200);
            EventStream stream = new EventStream(nodes[i].api(), "");
            assertThat(stream.next().type()).isEqualTo("hello");
            streams.add(stream);
        }
        postgres.stop();
        postgres.restore(backup);
        postgres.start();
        Reply next = await().atMost(Duration.ofSeconds(30)).until(() -> write("next"), r -> r.status() == 201);
        assertThat(next.revision()).isGreaterThan(lost.revision());
        for (int i = 1; i <= NODES; i++) {
            assertThat(read(i, "next", next.revision()).status()).isEqualTo(200);
            assertThat(read(i, "kept", next.revision()).revision()).isGreaterThan(lost.revision());
            assertThat(read(i, "kept", next.revision()).status()).isEqualTo(200);
            assertThat(read(i, "lost", next.revision()).status()).isEqualTo(404);
            EventStream stream = streams.get(i - 1);
            EventStream.Event event = stream.nextChange();
            while (!event.type().equals("resync")) {
                assertThat(event.id()).as(event.toString()).isLessThan(lost.revision());
                event = stream.nextChange();
            }
            assertThat(event.id()).isGreaterThan(lost.revision());
            stream.close();
        }
        System.out.println("restored: revision " + kept.revision() + " kept, " + lost.revision() + " lost, "
                + next.revision() + " written after it, on all nodes");
    }

    private Reply write(String key) {
        return nodes[1].api()
                .key(TestNode.ADMIN_KEY)
                .post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"restore\"}");
    }

    private Reply read(int node, String key, long minRevision) {
        return nodes[node]
                .api()
                .with("X-Min-Revision", Long.toString(minRevision))
                .get("/config/" + key + "?environment=restore");
    }
}
