package dev.configservice.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A PostgreSQL of one test's own, which it may kill, hang and restart. */
public final class TestPostgres implements AutoCloseable {
    private final Path directory;
    private final int port = Ports.free();
    private EmbeddedPostgres server;

    public TestPostgres() {
        this(TestServers.directory("postgres"));
    }

    private TestPostgres(Path directory) {
        this.directory = directory;
        start();
    }

    public String uri() {
        return "postgresql://postgres@127.0.0.1:" + port + "/postgres";
    }

    public int port() {
        return port;
    }

    public void start() {
        try {
            server = EmbeddedPostgres.builder()
                    .setDataDirectory(directory)
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setPort(port)
                    .setServerConfig("fsync", "off")
                    .setServerConfig("max_connections", "100")
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills the server and all its processes, as if the machine went down. */
    public void kill() {
        List<ProcessHandle> all = processes();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(p -> p.onExit().orTimeout(10, TimeUnit.SECONDS).join());
        closeHandle();
    }

    /** Stops the server in order. */
    public void stop() {
        closeHandle();
    }

    private void closeHandle() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Hangs the server: its processes are there, its sockets open, and nothing answers. */
    public void hang() {
        signal("STOP", processes());
    }

    public void goOn() {
        signal("CONT", processes());
    }

    private List<ProcessHandle> processes() {
        try {
            long pid = Long.parseLong(
                    Files.readAllLines(directory.resolve("postmaster.pid")).get(0).strip());
            List<ProcessHandle> all = new ArrayList<>();
            ProcessHandle.of(pid).ifPresent(p -> {
                all.add(p);
                p.descendants().forEach(all::add);
            });
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void signal(String signal, List<ProcessHandle> processes) {
        try {
            for (ProcessHandle p : processes) {
                new ProcessBuilder("kill", "-" + signal, Long.toString(p.pid()))
                        .inheritIO()
                        .start()
                        .waitFor();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closeHandle();
    }
}
