package dev.configservice.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A network on this machine: a bridge, and a network namespace with an address for each node. The traffic between two
 * nodes can be cut in one or both directions, while each still reaches everything else. Needs root and iproute2.
 */
public final class TestNetwork implements AutoCloseable {
    /** A hardware address that no interface has: packets to it are lost without an error. */
    private static final String NOBODY = "02:00:00:00:00:fe";

    private final long number = ProcessHandle.current().pid() % 250;
    private final String prefix = "cs" + number + "n";
    private final String bridge = "cs" + number + "b";
    private final int nodes;

    /** Tells whether this machine allows this process to create a network. */
    public static boolean isPossible() {
        String name = "cs" + ProcessHandle.current().pid() + "try";
        try {
            boolean made = run(List.of("ip", "netns", "add", name)).isEmpty();
            return made && run(List.of("ip", "netns", "del", name)).isEmpty();
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    public TestNetwork(int nodes) {
        this.nodes = nodes;
        close();
        ip("link", "add", bridge, "type", "bridge");
        ip("addr", "add", host() + "/24", "dev", bridge);
        ip("link", "set", bridge, "up");
        for (int i = 1; i <= nodes; i++) {
            String outside = prefix + i + "v";
            ip("netns", "add", prefix + i);
            ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", prefix + i);
            ip("link", "set", outside, "master", bridge, "up");
            ip("-n", prefix + i, "addr", "add", address(i) + "/24", "dev", "eth0");
            ip("-n", prefix + i, "link", "set", "eth0", "up");
            ip("-n", prefix + i, "link", "set", "lo", "up");
        }
    }

    /** Returns the address of this process in the network. */
    public String host() {
        return "10.213." + number + ".254";
    }

    /** Returns the address of a node. Nodes are counted from 1. */
    public String address(int node) {
        return "10.213." + number + "." + node;
    }

    /** Returns the beginning of a command line that runs the rest of it as a node. */
    public List<String> as(int node) {
        return List.of("ip", "netns", "exec", prefix + node);
    }

    /** Gives a name to the addresses of several nodes, as the DNS of a headless service does. */
    public void name(String name, List<Integer> of) {
        String lines = of.stream().map(n -> address(n) + " " + name + "\n").collect(Collectors.joining());
        try {
            for (int i = 1; i <= nodes; i++) {
                // `ip netns exec` mounts the files of this directory over those in /etc
                Path etc = Files.createDirectories(Path.of("/etc/netns", prefix + i));
                Files.writeString(etc.resolve("hosts"), "127.0.0.1 localhost\n" + lines);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Cuts the traffic from one node to another. */
    public void cut(int from, int to) {
        ip("-n", prefix + from, "neigh", "replace", address(to), "lladdr", NOBODY, "dev", "eth0", "nud", "permanent");
    }

    /** Cuts a node off from others, in both directions. */
    public void cutOff(int node, List<Integer> others) {
        others.forEach(o -> {
            cut(node, o);
            cut(o, node);
        });
    }

    /** Restores all traffic. */
    public void heal() {
        for (int i = 1; i <= nodes; i++) {
            ip("-n", prefix + i, "neigh", "flush", "all", "nud", "permanent");
        }
    }

    @Override
    public void close() {
        for (int i = 1; i <= nodes; i++) {
            run(List.of("ip", "netns", "del", prefix + i));
            run(List.of("rm", "-rf", "/etc/netns/" + prefix + i));
        }
        run(List.of("ip", "link", "del", bridge));
    }

    private static void ip(String... arguments) {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        String said = run(command);
        if (!said.isEmpty()) {
            throw new IllegalStateException(String.join(" ", command) + ": " + said);
        }
    }

    /** Runs a command. Returns the output if it failed, and an empty string if it succeeded. */
    private static String run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            return process.waitFor() == 0 ? "" : said + " ";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
