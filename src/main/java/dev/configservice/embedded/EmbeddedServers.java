package dev.configservice.embedded;

import dev.configservice.settings.EmbeddedSettings;
import dev.configservice.settings.SettingsException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedded servers of one data directory, which is locked while they run. Servers that a killed service left
 * running in that directory are stopped first.
 */
public final class EmbeddedServers implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EmbeddedServers.class);

    private final FileChannel lockFile;
    private final List<Server> servers;

    private EmbeddedServers(FileChannel lockFile, List<Server> servers) {
        this.lockFile = lockFile;
        this.servers = servers;
    }

    /** One embedded server. */
    interface Server extends AutoCloseable {
        /** Returns the address for clients. */
        String address();

        @Override
        void close();
    }

    /**
     * Starts all three servers in parallel. Blocks. If one of them does not start, the others are stopped again.
     *
     * @throws SettingsException if a port is taken, or if the directory cannot be used
     */
    public static EmbeddedServers start(EmbeddedSettings settings) {
        Path directory = settings.directory().toAbsolutePath().normalize();
        FileChannel lock = lock(directory);
        ExecutorService starters = Executors.newFixedThreadPool(3, task -> new Thread(task, "embedded-start"));
        try {
            EmbeddedPostgresServer.stopLeftover(directory.resolve("postgres"));
            EmbeddedRedisServer.stopLeftover(directory.resolve("redis"));
            int postgresPort = free("embedded.postgres-port", settings.postgresPort());
            int redisPort = free("embedded.redis-port", settings.redisPort());
            int kafkaPort = free("embedded.kafka-port", settings.kafkaPort());
            Password postgresPassword = password(directory, "postgres", settings.postgresPassword());
            Password redisPassword = password(directory, "redis", settings.redisPassword());
            EmbeddedRedisServer redis =
                    EmbeddedRedisServer.prepare(directory.resolve("redis"), redisPort, redisPassword);
            List<CompletableFuture<Server>> starting = List.of(
                    start(
                            starters,
                            () -> EmbeddedPostgresServer.start(
                                    directory.resolve("postgres"), postgresPort, postgresPassword)),
                    start(starters, redis::start),
                    start(starters, () -> EmbeddedKafkaServer.start(directory.resolve("kafka"), kafkaPort)));
            return new EmbeddedServers(lock, all(starting));
        } catch (RuntimeException e) {
            closeQuietly(lock);
            throw e;
        } finally {
            starters.shutdown();
        }
    }

    private static CompletableFuture<Server> start(ExecutorService starters, Supplier<Server> server) {
        return CompletableFuture.supplyAsync(server, starters);
    }

    private static List<Server> all(List<CompletableFuture<Server>> starting) {
        List<Server> started = new ArrayList<>();
        RuntimeException failure = null;
        for (CompletableFuture<Server> one : starting) {
            try {
                started.add(one.join());
            } catch (CompletionException e) {
                failure = e.getCause() instanceof SettingsException s
                        ? s
                        : new SettingsException("embedded.directory: a server did not start (" + e.getCause() + ")");
            }
        }
        if (failure != null) {
            started.forEach(Server::close);
            throw failure;
        }
        return started;
    }

    public String postgresUri() {
        return servers.get(0).address();
    }

    public String redisUri() {
        return servers.get(1).address();
    }

    public String kafkaBootstrapServers() {
        return servers.get(2).address();
    }

    private static FileChannel lock(Path directory) {
        FileChannel channel = null;
        try {
            Files.createDirectories(directory);
            // it holds all values, and the keyset of encrypted ones
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            channel = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                closeQuietly(channel);
                throw inUse(directory);
            }
            return channel;
        } catch (OverlappingFileLockException e) {
            closeQuietly(channel);
            throw inUse(directory);
        } catch (IOException e) {
            closeQuietly(channel);
            throw new SettingsException(
                    "embedded.directory: " + directory + " (expected: a writable directory; " + e + ")");
        }
    }

    private static Password password(Path directory, String server, String setting) {
        try {
            return Password.in(directory.resolve(server + "-password"), setting);
        } catch (IOException e) {
            throw new SettingsException(
                    "embedded.directory: " + directory + " (expected: a writable directory; " + e + ")");
        }
    }

    private static SettingsException inUse(Path directory) {
        return new SettingsException(
                "embedded.directory: " + directory + " (expected: a directory that no other running service uses)");
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                log.warn("embedded.lock-not-closed cause={}", e.toString());
            }
        }
    }

    /** Returns the port if it is free; for port 0, returns any free port. */
    private static int free(String setting, int port) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return probe.getLocalPort();
        } catch (IOException e) {
            throw new SettingsException(setting + ": " + port + " (expected: a free port; " + e.getMessage() + ")");
        }
    }

    @Override
    public void close() {
        for (int i = servers.size() - 1; i >= 0; i--) {
            servers.get(i).close();
        }
        closeQuietly(lockFile);
    }
}
