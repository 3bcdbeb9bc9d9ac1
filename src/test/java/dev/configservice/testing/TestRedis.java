package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import redis.embedded.RedisServer;
import redis.embedded.core.RedisServerBuilder;

/** A Redis server for a single test, which can kill it or make it hang. */
public final class TestRedis implements AutoCloseable {
    private final int port = Ports.free();
    private final Path directory = TestServers.directory("redis");
    private final String host;
    private final List<String> settings;
    private RedisServer server;

    public TestRedis() {
        this("127.0.0.1");
    }

    /** Starts a server that listens on an address of this machine. */
    public TestRedis(String host) {
        this(host, List.of());
    }

    private TestRedis(String host, List<String> settings) {
        this.host = host;
        this.settings = settings;
        start();
    }

    /** Starts a server with further lines of its configuration file. */
    public static TestRedis with(List<String> settings) {
        return new TestRedis("127.0.0.1", settings);
    }

    public int port() {
        return port;
    }

    public String uri() {
        return "redis://" + host + ":" + port;
    }

    public void start() {
        try {
            RedisServerBuilder builder = RedisServer.newRedisServer()
                    .port(port)
                    .bind(host)
                    .setting("protected-mode no")
                    .setting("dir \"" + directory.toAbsolutePath() + "\"")
                    .setting("pidfile \"" + directory.toAbsolutePath().resolve("redis.pid") + "\"")
                    .setting("save \"\"");
            settings.forEach(builder::setting);
            server = builder.build();
            server.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a key, and returns the number of deleted keys. */
    public long delete(String key) {
        try (redis.clients.jedis.Jedis client = new redis.clients.jedis.Jedis(host, port)) {
            return client.del(key);
        }
    }

    /** Sends a command whose words are separated by spaces, and returns the number in the response. */
    public long command(String command) {
        String[] words = command.split(" ", -1);
        try (redis.clients.jedis.Jedis client = new redis.clients.jedis.Jedis(host, port)) {
            Object reply = client.sendCommand(
                    redis.clients.jedis.Protocol.Command.valueOf(words[0]),
                    java.util.Arrays.copyOfRange(words, 1, words.length));
            return (Long) reply;
        }
    }

    /** Opens a plain client. */
    public redis.clients.jedis.Jedis client() {
        return new redis.clients.jedis.Jedis(host, port);
    }

    /** Returns all keys and values as a string. */
    public String everything() {
        StringBuilder all = new StringBuilder();
        try (redis.clients.jedis.Jedis client = new redis.clients.jedis.Jedis(host, port)) {
            for (String key : client.keys("*")) {
                all.append(key).append(client.hgetAll(key)).append('\n');
            }
        }
        return all.toString();
    }

    public void hang() {
        TestPostgres.signal("STOP", process());
    }

    public void goOn() {
        TestPostgres.signal("CONT", process());
    }

    public void kill() {
        process().forEach(ProcessHandle::destroyForcibly);
    }

    private List<ProcessHandle> process() {
        try {
            long pid = Long.parseLong(
                    Files.readString(directory.resolve("redis.pid")).strip());
            return ProcessHandle.of(pid).stream().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
