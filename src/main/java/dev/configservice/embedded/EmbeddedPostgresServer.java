package dev.configservice.embedded;

import dev.configservice.settings.SettingsException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** PostgreSQL as a child process. A commit is on disk before it is confirmed. */
final class EmbeddedPostgresServer implements EmbeddedServers.Server {
    private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgresServer.class);
    private final EmbeddedPostgres postgres;
    private final Password password;

    private EmbeddedPostgresServer(EmbeddedPostgres postgres, Password password) {
        this.postgres = postgres;
        this.password = password;
    }

    static void stopLeftover(Path directory) {
        Leftover.stop(directory.resolve("postmaster.pid"), "postgres");
    }

    static EmbeddedPostgresServer start(Path directory, int port, Password password) {
        try {
            Files.createDirectories(directory);
            EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                    .setDataDirectory(directory)
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setPort(port)
                    // these are arguments of initdb, which makes the directory
                    .setLocaleConfig("locale", "C")
                    .setLocaleConfig("auth", "scram-sha-256")
                    .setLocaleConfig("pwfile", password.file().toString())
                    .setConnectConfig("password", password.inUse())
                    .setServerConfig("listen_addresses", "127.0.0.1")
                    // the library turns these off for tests, but here a confirmed write must be on disk
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setServerConfig("full_page_writes", "on")
                    .setServerConfig("max_connections", "200")
                    .setServerConfig("shared_buffers", "128MB")
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .start();
            if (password.isChanged()) {
                change(postgres, password);
            }
            return new EmbeddedPostgresServer(postgres, password);
        } catch (IOException | SQLException | RuntimeException e) {
            throw new SettingsException("embedded.directory: " + directory
                    + " (expected: a directory that PostgreSQL can start in; " + e.getMessage() + ")");
        }
    }

    private static void change(EmbeddedPostgres postgres, Password password) throws IOException, SQLException {
        DataSource database = postgres.getDatabase("postgres", "postgres", Map.of("password", password.inUse()));
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "alter user postgres password '" + password.wanted().replace("'", "''") + "'");
        }
        password.keep();
    }

    @Override
    public String address() {
        return "postgresql://postgres:" + password.encoded() + "@127.0.0.1:" + postgres.getPort() + "/postgres";
    }

    @Override
    public void close() {
        try {
            postgres.close();
        } catch (IOException e) {
            log.warn("embedded.postgres-not-stopped cause={}", e.toString());
        }
    }
}
