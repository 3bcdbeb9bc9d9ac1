package dev.configservice.embedded;

import dev.configservice.settings.SettingsException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** PostgreSQL as a child process. A commit is on disk before it is confirmed. */
final class EmbeddedPostgresServer implements EmbeddedServers.Server {
    private static final Logger log = LoggerFactory.getLogger(EmbeddedPostgresServer.class);
    private final EmbeddedPostgres postgres;

    private EmbeddedPostgresServer(EmbeddedPostgres postgres) {
        this.postgres = postgres;
    }

    static void stopLeftover(Path directory) {
        Leftover.stop(directory.resolve("postmaster.pid"), "postgres");
    }

    static EmbeddedPostgresServer start(Path directory, int port) {
        try {
            Files.createDirectories(directory);
            return new EmbeddedPostgresServer(EmbeddedPostgres.builder()
                    .setDataDirectory(directory)
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setPort(port)
                    .setLocaleConfig("locale", "C")
                    .setServerConfig("listen_addresses", "127.0.0.1")
                    // the library turns these off for tests, but here a confirmed write must be on disk
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setServerConfig("full_page_writes", "on")
                    .setServerConfig("max_connections", "200")
                    .setServerConfig("shared_buffers", "128MB")
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .start());
        } catch (IOException | RuntimeException e) {
            throw new SettingsException("embedded.directory: " + directory
                    + " (expected: a directory that PostgreSQL can start in; " + e.getMessage() + ")");
        }
    }

    @Override
    public String address() {
        return "postgresql://postgres@127.0.0.1:" + postgres.getPort() + "/postgres";
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
