package dev.configservice.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;

/** A PostgreSQL server for a single test, which can kill it, make it hang, and restart it. */
public final class TestPostgres implements AutoCloseable {
    private final Path directory;
    private final int port = Ports.free();
    private final EmbeddedPostgres server;
    private final Path binaries;

    public TestPostgres() {
        this(TestServers.directory("postgres"));
    }

    /** Starts a server that other addresses of this machine can reach, also after a restart. */
    public static TestPostgres open() {
        TestPostgres postgres = new TestPostgres(TestServers.directory("postgres"));
        try {
            Files.writeString(
                    postgres.directory.resolve("pg_hba.conf"),
                    "host all all 10.0.0.0/8 trust\n",
                    StandardOpenOption.APPEND);
            Files.writeString(
                    postgres.directory.resolve("postgresql.conf"),
                    "listen_addresses = '*'\n",
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        postgres.stop();
        postgres.start();
        return postgres;
    }

    /** Copies the data of a stopped server, for {@link #restore}. */
    public Path backUp() {
        Path copy = TestServers.directory("backup").resolve("data");
        copy(directory, copy);
        return copy;
    }

    /** Replaces the data of a stopped server with a backup. */
    public void restore(Path backup) {
        run("rm", "-rf", directory.toString());
        copy(backup, directory);
    }

    private static void copy(Path from, Path to) {
        run("cp", "-a", from.toString(), to.toString());
    }

    private static void run(String... command) {
        try {
            if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private TestPostgres(Path directory) {
        this.directory = directory;
        try {
            server = EmbeddedPostgres.builder()
                    .setDataDirectory(directory)
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setPort(port)
                    .setServerConfig("max_connections", "100")
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        binaries = Path.of(processes().get(0).info().command().orElseThrow()).getParent();
    }

    /** Adds a synchronous standby, for which commits wait from now on. */
    public TestPostgres standby() {
        stop();
        Path copy = TestServers.directory("standby");
        run("rm", "-rf", copy.toString());
        copy(directory, copy);
        start();
        try {
            Files.createFile(copy.resolve("standby.signal"));
            Files.writeString(
                    copy.resolve("postgresql.conf"),
                    "primary_conninfo = 'host=127.0.0.1 port=" + port + " user=postgres application_name=standby'\n",
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        TestPostgres standby = new TestPostgres(copy);
        Awaitility.await()
                .until(() -> TestNode.sql(uri(), "select count(*) from pg_stat_replication where state = 'streaming'")
                        .get(0)
                        .get(0)
                        .equals("1"));
        TestNode.sql(uri(), "alter system set synchronous_standby_names = 'standby'");
        TestNode.sql(uri(), "select pg_reload_conf()");
        return standby;
    }

    /** Has the server accept encrypted connections, besides others. */
    public void useTls(Path certificate, Path key) {
        TestNode.sql(uri(), "alter system set ssl_cert_file = '" + certificate + "'");
        TestNode.sql(uri(), "alter system set ssl_key_file = '" + key + "'");
        TestNode.sql(uri(), "alter system set ssl = on");
        TestNode.sql(uri(), "select pg_reload_conf()");
        Awaitility.await()
                .until(() -> TestNode.sql(uri(), "show ssl").get(0).get(0).equals("on"));
    }

    /** Puts lines before all others of {@code pg_hba.conf}. */
    public void admit(String... lines) {
        Path file = directory.resolve("pg_hba.conf");
        try {
            Files.writeString(file, String.join("\n", lines) + "\n" + Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        TestNode.sql(uri(), "select pg_reload_conf()");
    }

    public String uri() {
        return "postgresql://postgres@127.0.0.1:" + port + "/postgres";
    }

    public int port() {
        return port;
    }

    /** Kills the server and all its processes, as if the machine had crashed. */
    public void kill() {
        processes().forEach(ProcessHandle::destroyForcibly);
        Awaitility.await().until(() -> !listens());
    }

    /** Shuts the server down cleanly. */
    public void stop() {
        if (!control("stop", "-m", "fast")) {
            throw new IllegalStateException("PostgreSQL did not stop");
        }
    }

    /** Starts the server again after {@link #kill} or {@link #stop}. */
    public void start() {
        // after a kill, the shared memory may still be in use for a moment
        Awaitility.await()
                .pollInterval(Duration.ofMillis(300))
                .until(() -> control("start", "-o", "-p " + port + " -F -c max_connections=100"));
    }

    private boolean control(String... command) {
        List<String> line = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            line.addAll(List.of("unshare", "-U"));
        }
        line.addAll(List.of(
                binaries.resolve("pg_ctl").toString(),
                "-w",
                "-D",
                directory.toAbsolutePath().toString()));
        line.addAll(List.of(command));
        try {
            Process process = new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            Path.of("target", "pg_ctl.log").toFile()))
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** Suspends the server: its processes exist and its sockets are open, but nothing responds. */
    public void hang() {
        signal("STOP", processes());
    }

    public void goOn() {
        signal("CONT", processes());
    }

    private List<ProcessHandle> processes() {
        try {
            long pid = Long.parseLong(Files.readAllLines(directory.resolve("postmaster.pid"))
                    .get(0)
                    .strip());
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

    /** Sends a signal, such as STOP or CONT. */
    public static void signal(String signal, List<ProcessHandle> processes) {
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
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
