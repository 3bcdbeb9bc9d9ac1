package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The service in a separate process, which a test can stop, kill or make hang. */
public final class NodeProcess implements AutoCloseable {
    private final Process process;
    private final Path output;
    private final Map<String, String> settings;

    /** Starts the service with the given settings and no others. */
    public NodeProcess(Map<String, String> settings, String... arguments) {
        this(
                List.of(),
                List.of("-cp", System.getProperty("java.class.path"), "dev.configservice.Main"),
                settings,
                arguments);
    }

    /**
     * Starts the packaged jar with the given settings and no others. The command line begins with {@code by}, for
     * example {@code ip netns exec}. That program must replace itself with the rest of the command line.
     */
    public static NodeProcess ofJar(List<String> by, Map<String, String> settings) {
        return new NodeProcess(by, List.of("-jar", System.getProperty("service.jar")), settings);
    }

    private NodeProcess(List<String> by, List<String> program, Map<String, String> settings, String... arguments) {
        this.settings = Map.copyOf(settings);
        this.output = TestServers.directory("out").resolve("output");
        List<String> command = new ArrayList<>(by);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "@conf/jvm.options", "-Xmx512m"));
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

    /**
     * Starts a node that joins the cluster of another node and uses the same servers. It is ready when this method
     * returns.
     */
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

    /** Returns the output of the process. */
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

    /**
     * Returns the addresses that the process and its children listen on, by port. If a port has several addresses, one
     * that is not IPv4 wins.
     */
    public Map<Integer, String> listening() {
        Map<Integer, String> addresses = new HashMap<>();
        Set<String> sockets = new HashSet<>();
        Stream.concat(Stream.of(process.toHandle()), process.descendants())
                .forEach(p -> sockets.addAll(sockets(p.pid())));
        for (String table : List.of("tcp", "tcp6")) {
            for (String line : lines(Path.of("/proc/net/" + table))) {
                String[] columns = line.strip().split("\\s+", -1);
                if (columns[3].equals("0A") && sockets.contains(columns[9])) {
                    String[] local = columns[1].split(":", -1);
                    addresses.put(Integer.parseInt(local[1], 16), address(local[0]));
                }
            }
        }
        return addresses;
    }

    private static Set<String> sockets(long pid) {
        Set<String> inodes = new HashSet<>();
        try (var files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            for (Path file : files.toList()) {
                String target = Files.isSymbolicLink(file)
                        ? Files.readSymbolicLink(file).toString()
                        : "";
                if (target.startsWith("socket:[")) {
                    inodes.add(target.substring("socket:[".length(), target.length() - 1));
                }
            }
        } catch (IOException e) {
            // a file was closed, or the process ended, meanwhile
        }
        return inodes;
    }

    private static List<String> lines(Path table) {
        try {
            List<String> lines = Files.readAllLines(table);
            return lines.subList(1, lines.size());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Parses an address as the kernel prints it: 32-bit words in the byte order of the machine, each in hex. */
    private static String address(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int word = 0; word < bytes.length; word += 4) {
            for (int i = 0; i < 4; i++) {
                int at = 2 * (word + 3 - i);
                bytes[word + i] = (byte) Integer.parseInt(hex.substring(at, at + 2), 16);
            }
        }
        try {
            // an IPv4-mapped IPv6 address becomes an IPv4 address
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Suspends the process: its sockets stay open, but nothing responds. */
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

    /** Asks the process to stop, waits until it ends, and returns its exit code. */
    public int stop() {
        process.destroy();
        return await();
    }

    /** Waits until the process ends, and returns its exit code. */
    public int await() {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("the process did not end\n" + output());
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
