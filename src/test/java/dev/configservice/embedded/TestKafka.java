package dev.configservice.embedded;

import dev.configservice.testing.Ports;
import dev.configservice.testing.TestServers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A Kafka broker for a single test, which can stop and restart it. */
public final class TestKafka implements AutoCloseable {
    private final int port = Ports.free();
    private final Path directory = TestServers.directory("kafka");
    private final Map<String, String> settings;
    private final List<String> formatting;
    private EmbeddedKafkaServer server;

    public TestKafka() {
        this(Map.of(), List.of());
    }

    private TestKafka(Map<String, String> settings, List<String> formatting) {
        this.settings = settings;
        this.formatting = formatting;
        start();
    }

    /** Starts a broker with settings of its own. */
    public static TestKafka with(Map<String, String> settings) {
        return new TestKafka(settings, List.of());
    }

    /**
     * Starts a broker whose clients must use TLS and one of the mechanisms PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, as the
     * user {@code alice}. Brokers and controllers themselves talk plainly.
     *
     * @param certificate a PEM file with a certificate and its key
     */
    public static TestKafka secured(Path certificate, String password) {
        int clients = Ports.free();
        int brokers = Ports.free();
        int controllers = Ports.free();
        String module = "org.apache.kafka.common.security.";
        return new TestKafka(
                Map.ofEntries(
                        Map.entry("controller.quorum.voters", "1@127.0.0.1:" + controllers),
                        Map.entry(
                                "listeners",
                                "CLIENTS://127.0.0.1:" + clients + ",BROKERS://127.0.0.1:" + brokers
                                        + ",CONTROLLER://127.0.0.1:" + controllers),
                        Map.entry(
                                "advertised.listeners",
                                "CLIENTS://127.0.0.1:" + clients + ",BROKERS://127.0.0.1:" + brokers),
                        Map.entry("inter.broker.listener.name", "BROKERS"),
                        Map.entry(
                                "listener.security.protocol.map",
                                "CLIENTS:SASL_SSL,BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT"),
                        Map.entry("listener.name.clients.ssl.keystore.type", "PEM"),
                        Map.entry("listener.name.clients.ssl.keystore.location", certificate.toString()),
                        Map.entry("listener.name.clients.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"),
                        Map.entry(
                                "listener.name.clients.plain.sasl.jaas.config",
                                module + "plain.PlainLoginModule required user_alice=\"" + password + "\";"),
                        Map.entry(
                                "listener.name.clients.scram-sha-256.sasl.jaas.config",
                                module + "scram.ScramLoginModule required;"),
                        Map.entry(
                                "listener.name.clients.scram-sha-512.sasl.jaas.config",
                                module + "scram.ScramLoginModule required;")),
                List.of(
                        "--add-scram",
                        "SCRAM-SHA-256=[name=alice,password=" + password + "]",
                        "--add-scram",
                        "SCRAM-SHA-512=[name=alice,password=" + password + "]"));
    }

    /** Returns the address for clients. */
    public String address() {
        String listeners = settings.get("advertised.listeners");
        return listeners == null
                ? "127.0.0.1:" + port
                : listeners.substring("CLIENTS://".length(), listeners.indexOf(','));
    }

    public void start() {
        server = EmbeddedKafkaServer.start(directory, "127.0.0.1:" + port, settings, formatting);
    }

    public void stop() {
        server.close();
    }

    @Override
    public void close() {
        stop();
    }
}
