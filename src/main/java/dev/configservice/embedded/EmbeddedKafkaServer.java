package dev.configservice.embedded;

import dev.configservice.settings.SettingsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Time;

/** Kafka in this process: one broker that is its own controller. */
final class EmbeddedKafkaServer implements EmbeddedServers.Server {
    private static final String CLUSTER_ID = "Q29uZmlnU2VydmljZTAwMQ";

    private final KafkaRaftServer server;
    private final String address;

    private EmbeddedKafkaServer(KafkaRaftServer server, String address) {
        this.server = server;
        this.address = address;
    }

    static EmbeddedKafkaServer start(Path directory, int port) {
        return start(directory, "127.0.0.1", port);
    }

    /** Starts a server that listens on an address of this machine. */
    static EmbeddedKafkaServer start(Path directory, String host, int port) {
        return start(directory, host + ":" + port, Map.of(), List.of());
    }

    /**
     * Starts a server with settings of its own.
     *
     * @param settings settings of the broker that hold over the usual ones
     * @param formatting further arguments for the formatting of its directory
     */
    static EmbeddedKafkaServer start(
            Path directory, String address, Map<String, String> settings, List<String> formatting) {
        try {
            Properties properties = properties(directory, address);
            properties.putAll(settings);
            format(directory, properties, formatting);
            KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
            server.startup();
            return new EmbeddedKafkaServer(server, address);
        } catch (IOException | RuntimeException e) {
            throw new SettingsException("embedded.directory: " + directory
                    + " (expected: a directory that Kafka can start in; " + e.getMessage() + ")");
        }
    }

    private static Properties properties(Path directory, String address) throws IOException {
        int controllerPort;
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            controllerPort = probe.getLocalPort();
        }
        Properties p = new Properties();
        p.setProperty("process.roles", "broker,controller");
        p.setProperty("node.id", "1");
        p.setProperty("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
        p.setProperty("listeners", "PLAINTEXT://" + address + ",CONTROLLER://127.0.0.1:" + controllerPort);
        p.setProperty("advertised.listeners", "PLAINTEXT://" + address);
        p.setProperty("controller.listener.names", "CONTROLLER");
        p.setProperty("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        p.setProperty("log.dirs", directory.toString());
        p.setProperty("offsets.topic.replication.factor", "1");
        p.setProperty("offsets.topic.num.partitions", "1");
        p.setProperty("transaction.state.log.replication.factor", "1");
        p.setProperty("transaction.state.log.min.isr", "1");
        p.setProperty("transaction.state.log.num.partitions", "1");
        p.setProperty("group.initial.rebalance.delay.ms", "0");
        p.setProperty("log.index.size.max.bytes", "1048576");
        // the default of 128 MiB would be allocated at the start, and the few topics here do not need it
        p.setProperty("log.cleaner.dedupe.buffer.size", "4194304");
        return p;
    }

    private static void format(Path directory, Properties properties, List<String> formatting) throws IOException {
        Files.createDirectories(directory);
        if (Files.exists(directory.resolve("meta.properties"))) {
            return;
        }
        Path file = Files.createTempFile("kafka", ".properties");
        try (var out = Files.newBufferedWriter(file)) {
            properties.store(out, null);
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try (PrintStream print = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            List<String> arguments =
                    new ArrayList<>(List.of("format", "--cluster-id", CLUSTER_ID, "--config", file.toString()));
            arguments.addAll(formatting);
            int code = StorageTool.execute(arguments.toArray(String[]::new), print);
            if (code != 0) {
                throw new IOException("formatting failed: " + said.toString(StandardCharsets.UTF_8));
            }
        } finally {
            Files.delete(file);
        }
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }
}
