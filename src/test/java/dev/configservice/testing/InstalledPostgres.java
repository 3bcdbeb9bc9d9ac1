package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A PostgreSQL server of the version that is installed on this machine, with its tools. */
public final class InstalledPostgres implements AutoCloseable {
    private final int port = Ports.free();
    private final Path binaries = binaries();
    private final Path directory;

    /** Starts a server with an empty database {@code config}. */
    public InstalledPostgres() {
        directory = TestServers.openDirectory("installed-postgres");
        run("initdb", "-D", directory + "/data", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8");
        run(
                "pg_ctl",
                "-D",
                directory + "/data",
                "-w",
                "-l",
                directory + "/log",
                "-o",
                "-p " + port + " -k ''",
                "start");
        run("createdb", "-h", "127.0.0.1", "-p", Integer.toString(port), "config");
    }

    private static Path binaries() {
        Path all = Path.of("/usr/lib/postgresql");
        Tools.require(Files.isDirectory(all), "postgresql must be installed");
        try (Stream<Path> versions = Files.list(all)) {
            return versions.max(Comparator.comparing(
                            v -> Integer.parseInt(v.getFileName().toString())))
                    .orElseThrow()
                    .resolve("bin");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs one of the tools as the owner of the server, and returns its output. Fails if the tool fails. */
    public String run(String tool, String... arguments) {
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("runuser", "-u", "postgres", "--"));
        }
        command.add(binaries.resolve(tool).toString());
        command.addAll(List.of(arguments));
        try {
            Path said = Files.createTempFile("tool", ".log");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            int code = process.waitFor();
            String output = Files.readString(said, StandardCharsets.UTF_8);
            if (code != 0) {
                throw new IllegalStateException(tool + " failed: " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public String uri(String database) {
        return "postgresql://postgres@127.0.0.1:" + port + "/" + database;
    }

    /** Returns a directory that the tools may write to. */
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        run("pg_ctl", "-D", directory + "/data", "-m", "immediate", "stop");
    }
}
