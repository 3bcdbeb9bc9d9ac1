package dev.configservice.testing;

import dev.configservice.embedded.EmbeddedServers;
import dev.configservice.settings.EmbeddedSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The real PostgreSQL, Redis and Kafka servers that all tests of a run share. Each tested cluster has its own database.
 */
public final class TestServers {
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static EmbeddedServers servers;

    private TestServers() {}

    public static synchronized EmbeddedServers get() {
        if (servers == null) {
            servers = EmbeddedServers.start(new EmbeddedSettings(true, directory("servers"), 0, 0, 0, "", ""));
            Runtime.getRuntime().addShutdownHook(new Thread(servers::close));
        }
        return servers;
    }

    /** Creates a new directory below the build directory. */
    public static Path directory(String name) {
        try {
            return Files.createTempDirectory(Files.createDirectories(Path.of("target", "test-data")), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Creates a new directory that programs of other users can reach, which the build directory may not be. It is deleted
     * when the tests end.
     */
    static Path openDirectory(String name) {
        try {
            Path directory = Files.createTempDirectory(name);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(directory)));
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            // another user's server still writes there; the directory is one for temporary files
        }
    }

    /** Creates an empty database, and returns its address. */
    public static String newDatabase() {
        String name = "test" + DATABASES.incrementAndGet();
        try (Connection connection = connect(get().postgresUri());
                var statement = connection.createStatement()) {
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return get().postgresUri().replaceAll("/postgres$", "/" + name);
    }

    /** Opens a connection to the database of an address from the settings. */
    public static Connection connect(String uri) throws SQLException {
        String user = URI.create(uri).getUserInfo();
        int colon = user.indexOf(':');
        return DriverManager.getConnection(
                "jdbc:" + uri.replaceFirst("//[^@]*@", "//"),
                colon < 0 ? user : user.substring(0, colon),
                colon < 0 ? "" : user.substring(colon + 1));
    }
}
