package dev.configservice.embedded;

import dev.configservice.testing.Ports;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** A Kafka broker in a separate process, which a test can kill or make hang. */
public final class KafkaProcess implements AutoCloseable {
    private final Path directory = TestServers.directory("kafka");
    private final String host;
    private final int port = Ports.free();
    private Process process;

    public KafkaProcess(String host) {
        this.host = host;
        start();
    }

    /** Runs the broker. The arguments are its directory, host and port. */
    public static void main(String[] arguments) throws InterruptedException {
        EmbeddedKafkaServer.start(Path.of(arguments[0]), arguments[1], Integer.parseInt(arguments[2]));
        Thread.currentThread().join();
    }

    public void start() {
        try {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx512m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            KafkaProcess.class.getName(),
                            directory.toString(),
                            host,
                            Integer.toString(port))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(directory
                            .resolveSibling(directory.getFileName() + ".log")
                            .toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(this::listens);
    }

    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 500);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    public String address() {
        return host + ":" + port;
    }

    public void hang() {
        TestPostgres.signal("STOP", List.of(process.toHandle()));
    }

    public void goOn() {
        TestPostgres.signal("CONT", List.of(process.toHandle()));
    }

    public void kill() {
        try {
            process.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
