package dev.configservice.load;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures the time until a change of one of a hundred configurations is visible on each of several nodes. It begins
 * before the write is sent to the first node and ends when the change arrives in a stream of the node, so it includes
 * the write, its commit and all messages. Arguments: the ports, the number of changes, and the milliseconds between
 * two changes. Prints a Markdown table.
 */
public final class Visible {
    private static final int KEYS = 100;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern VALUE = Pattern.compile("\"value\":\"visible-(\\d+)-(\\d+)\"");

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient();
    private final Map<Integer, Long> sent = new ConcurrentHashMap<>();
    private final long run = System.nanoTime();

    public static void main(String[] arguments) throws Exception {
        List<Integer> ports = new ArrayList<>();
        for (String port : arguments[0].split(",")) {
            ports.add(Integer.parseInt(port));
        }
        new Visible().measure(ports, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
    }

    /** A node and the times at which its stream reported each change. */
    private final class Node {
        final Map<Integer, Long> nanos = new ConcurrentHashMap<>();
        final CountDownLatch left;
        private String tail = "";

        Node(int port, int changes) {
            left = new CountDownLatch(changes);
            NetSocket socket = net.connect(port, "127.0.0.1").await();
            socket.handler(this::read);
            socket.write("GET /api/v1/changes/stream?environment=visible HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }

        private void read(Buffer chunk) {
            long now = System.nanoTime();
            String text = tail + chunk.toString(StandardCharsets.ISO_8859_1);
            Matcher m = VALUE.matcher(text);
            int end = 0;
            while (m.find()) {
                end = m.end();
                int number = Integer.parseInt(m.group(2));
                if (m.group(1).equals(Long.toString(run)) && nanos.putIfAbsent(number, now) == null) {
                    left.countDown();
                }
            }
            tail = text.substring(Math.max(end, text.length() - 200));
        }
    }

    private void measure(List<Integer> ports, int changes, int pause) throws Exception {
        List<Node> nodes = new ArrayList<>();
        ports.forEach(p -> nodes.add(new Node(p, changes)));
        Connection writer = new Connection(net, ports.get(0));
        List<String> paths = new ArrayList<>();
        for (int k = 0; k < KEYS; k++) {
            String body = "{\"key\":\"visible-" + run + "-" + k + "\",\"value\":\"\",\"environment\":\"visible\"}";
            String made = writer.ask("POST", "/api/v1/config", body).await().toString();
            paths.add("/api/v1/config/" + JSON.readTree(made).path("id").asText());
        }
        for (int i = 0; i < changes; i++) {
            sent.put(i, System.nanoTime());
            writer.ask("PUT", paths.get(i % KEYS), "{\"value\":\"visible-" + run + "-" + i + "\"}")
                    .await();
            Thread.sleep(pause);
        }
        System.out.println("| node | p50 ms | p99 ms | max ms |\n| --- | --- | --- | --- |");
        for (int n = 0; n < nodes.size(); n++) {
            if (!nodes.get(n).left.await(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("node " + (n + 1) + " was not told of all");
            }
            Map<Integer, Long> seen = nodes.get(n).nanos;
            // the first half warms up
            long[] took = sent.keySet().stream()
                    .filter(i -> i >= changes / 2)
                    .mapToLong(i -> seen.get(i) - sent.get(i))
                    .sorted()
                    .toArray();
            System.out.printf(
                    "| %s | %.1f | %.1f | %.1f |%n",
                    n == 0 ? "the one that writes" : n < 3 ? "core node " + (n + 1) : "an edge",
                    took[took.length / 2] / 1e6,
                    took[(int) (took.length * 0.99)] / 1e6,
                    took[took.length - 1] / 1e6);
        }
        vertx.close().await();
    }
}
