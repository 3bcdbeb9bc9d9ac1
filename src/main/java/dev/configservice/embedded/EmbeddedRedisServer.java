package dev.configservice.embedded;

import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.embedded.RedisServer;

/** Redis as a child process. Its data is on disk within a second. */
final class EmbeddedRedisServer implements EmbeddedServers.Server {
    private static final Logger log = LoggerFactory.getLogger(EmbeddedRedisServer.class);
    private static final String PID_FILE = "redis.pid";

    private final RedisServer redis;
    private final Path directory;
    private final int port;
    private final Password password;

    private EmbeddedRedisServer(RedisServer redis, Path directory, int port, Password password) {
        this.password = password;
        this.redis = redis;
        this.directory = directory;
        this.port = port;
    }

    static void stopLeftover(Path directory) {
        Leftover.stop(directory.resolve(PID_FILE), "redis");
    }

    /**
     * Creates a server without starting it. This writes the server's executable, which must not happen while other
     * processes are started: a new process would keep the file open for writing, and the file could not be executed.
     */
    static EmbeddedRedisServer prepare(Path directory, int port, Password password) {
        try {
            Files.createDirectories(directory);
            RedisServer redis = RedisServer.newRedisServer()
                    .port(port)
                    .bind("127.0.0.1")
                    .setting("dir \"" + directory + "\"")
                    .setting("pidfile \"" + directory.resolve(PID_FILE) + "\"")
                    .setting("requirepass \""
                            + password.wanted().replace("\\", "\\\\").replace("\"", "\\\"") + "\"")
                    .setting("appendonly yes")
                    .setting("save \"\"")
                    .setting("maxmemory 1gb")
                    .build();
            password.keep();
            return new EmbeddedRedisServer(redis, directory, port, password);
        } catch (IOException | RuntimeException e) {
            throw refused(directory, e);
        }
    }

    EmbeddedRedisServer start() {
        try {
            redis.start();
            return this;
        } catch (IOException | RuntimeException e) {
            throw refused(directory, e);
        }
    }

    private static SettingsException refused(Path directory, Exception e) {
        String cause = e.getCause() == null ? "" : ": " + e.getCause().getMessage();
        return new SettingsException("embedded.directory: " + directory
                + " (expected: a directory that Redis can start in; " + e.getMessage() + cause + ")");
    }

    @Override
    public String address() {
        return "redis://:" + password.encoded() + "@127.0.0.1:" + port;
    }

    @Override
    public void close() {
        try {
            redis.stop();
        } catch (IOException e) {
            log.warn("embedded.redis-not-stopped cause={}", e.toString());
        }
    }
}
