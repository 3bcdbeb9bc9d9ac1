package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** The service as a process of its own, which a test may stop, kill and hang. */
public final class NodeProcess implements AutoCloseable {
    private final Process process;
    private final Path output;
    private final Map<String, String> settings;

    /** Starts it, with these settings and no others. */
    public NodeProcess(Map<String, String> settings, String... arguments) {
        this(
                List.of(),
                List.of("-cp", System.getProperty("java.class.path"), "dev.configservice.Main"),
                settings,
                arguments);
    }

    /** Starts the packaged jar by way of another command, which becomes it, with these settings and no others of ours. */
    public static NodeProcess ofJar(List<String> by, Map<String, String> settings) {
        return new NodeProcess(by, List.of("-jar", System.getProperty("service.jar")), settings);
    }

    private NodeProcess(List<String> by, List<String> program, Map<String, String> settings, String... arguments) {
        this.settings = Map.copyOf(settings);
        this.output = TestServers.directory("out").resolve("output");
        List<String> command = new ArrayList<>(by);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=2",
                "-Xmx512m"));
        command.addAll(program);
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(k -> k.startsWith("CS_"));
        builder.environment().putAll(settings);
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A node of a node's cluster, on the same servers; it answers when this returns. */
    public static NodeProcess join(TestNode node, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(node.environment());
        all.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
        all.put("CS_CLUSTER_PORT", Integer.toString(Ports.free()));
        all.put("CS_CLUSTER_MEMBERS", "127.0.0.1:" + node.setting("CS_CLUSTER_PORT"));
        all.putAll(settings);
        NodeProcess process = new NodeProcess(all);
        process.awaitReady();
        return process;
    }

    public Api api() {
        return Api.anonymous(
                settings.getOrDefault("CS_HTTP_HOST", "127.0.0.1"), Integer.parseInt(settings.get("CS_HTTP_PORT")));
    }

    public Map<String, String> settings() {
        return settings;
    }

    public void awaitReady() {
        Awaitility.await().atMost(Duration.ofSeconds(90)).ignoreExceptions().until(() -> {
            if (!process.isAlive()) {
                throw new AssertionError(output());
            }
            return api().get("/ready").status() == 200;
        });
    }

    /** What it wrote to its output. */
    public String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public List<ProcessHandle> children() {
        return process.descendants().toList();
    }

    /** Hangs it: its sockets are open, and nothing answers. */
    public void hang() {
        TestPostgres.signal("STOP", List.of(process.toHandle()));
    }

    public void goOn() {
        TestPostgres.signal("CONT", List.of(process.toHandle()));
    }

    public void kill() {
        process.destroyForcibly();
        await();
    }

    /** Asks it to stop, and waits until it has; its exit code. */
    public int stop() {
        process.destroy();
        return await();
    }

    /** Waits until it has ended; its exit code. */
    public int await() {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("it did not end\n" + output());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        await();
    }
}
