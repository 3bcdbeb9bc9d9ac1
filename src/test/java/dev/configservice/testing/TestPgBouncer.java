package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/** A PgBouncer, as Debian's package installs it, before a PostgreSQL server. */
public final class TestPgBouncer implements AutoCloseable {
    private final int port = Ports.free();
    private final Process process;

    /**
     * Starts a pooler.
     *
     * @param mode {@code session}, {@code transaction} or {@code statement}
     * @param settings more settings of its section {@code pgbouncer}
     */
    public TestPgBouncer(TestPostgres postgres, String mode, int poolSize, Map<String, String> settings) {
        Tools.require(Files.isExecutable(Path.of("/usr/sbin/pgbouncer")), "pgbouncer must be installed");
        Path directory = TestServers.openDirectory("pgbouncer");
        List<String> lines = new ArrayList<>(List.of(
                "[databases]",
                "postgres = host=127.0.0.1 port=" + postgres.port() + " dbname=postgres user=postgres",
                "[pgbouncer]",
                "listen_addr = 127.0.0.1",
                "listen_port = " + port,
                "unix_socket_dir =",
                "auth_type = any",
                "pool_mode = " + mode,
                "default_pool_size = " + poolSize));
        settings.forEach((name, value) -> lines.add(name + " = " + value));
        try {
            Path file = Files.write(directory.resolve("pgbouncer.ini"), lines);
            List<String> command = new ArrayList<>();
            if (System.getProperty("user.name").equals("root")) {
                // it does not run as root
                command.addAll(List.of("runuser", "-u", "postgres", "--"));
            }
            command.addAll(List.of("/usr/sbin/pgbouncer", file.toString()));
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Awaitility.await().until(this::listens);
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    public String uri() {
        return "postgresql://postgres@127.0.0.1:" + port + "/postgres";
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
    }
}
