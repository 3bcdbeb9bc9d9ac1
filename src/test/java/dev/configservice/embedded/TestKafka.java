package dev.configservice.embedded;

import dev.configservice.testing.Ports;
import dev.configservice.testing.TestServers;
import java.nio.file.Path;

/** A Kafka broker for a single test, which can stop and restart it. */
public final class TestKafka implements AutoCloseable {
    private final int port = Ports.free();
    private final Path directory = TestServers.directory("kafka");
    private EmbeddedKafkaServer server;

    public TestKafka() {
        start();
    }

    public String address() {
        return "127.0.0.1:" + port;
    }

    public void start() {
        server = EmbeddedKafkaServer.start(directory, port);
    }

    public void stop() {
        server.close();
    }

    @Override
    public void close() {
        stop();
    }
}
