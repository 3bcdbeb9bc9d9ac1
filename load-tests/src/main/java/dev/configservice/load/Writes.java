package dev.configservice.load;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Writers, each with configurations of its own that it changes without pause, one request at a time. Arguments: the port,
 * how many, for how many seconds, and how many configurations one request changes (1 by default; more are a change set). Prints acknowledged writes a second, and the milliseconds that half and 99 of a hundred
 * took at most.
 */
public final class Writes {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final LongAdder written = new LongAdder();
    private final ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
    private final AtomicInteger running = new AtomicInteger();
    private final int port;
    private final int size;
    private volatile boolean over;

    private Writes(int port, int size) {
        this.port = port;
        this.size = size;
    }

    public static void main(String[] arguments) throws Exception {
        new Writes(Integer.parseInt(arguments[0]), arguments.length > 3 ? Integer.parseInt(arguments[3]) : 1)
                .run(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
    }

    private void run(int writers, int seconds) throws Exception {
        for (int i = 0; i < writers; i++) {
            Connection connection = new Connection(net, port);
            String key = "writer-" + System.nanoTime() + "-" + i;
            String made = connection
                    .ask("POST", "/api/v1/config", "{\"key\":\"" + key + "\",\"value\":0,\"environment\":\"writes\"}")
                    .await()
                    .toString();
            running.incrementAndGet();
            if (size > 1) {
                writeSet(connection, key, 1);
                continue;
            }
            write(connection, "/api/v1/config/" + JSON.readTree(made).path("id").asText(), 1);
        }
        long began = System.nanoTime();
        Thread.sleep(Duration.ofSeconds(seconds).toMillis());
        over = true;
        double took = (System.nanoTime() - began) / 1e9;
        long[] sorted = nanos.stream().mapToLong(n -> n).sorted().toArray();
        System.out.printf(
                "%.0f %.1f %.1f%n",
                written.sum() / took, sorted[sorted.length / 2] / 1e6, sorted[(int) (sorted.length * 0.99)] / 1e6);
        vertx.close().await();
    }

    private void writeSet(Connection connection, String key, long value) {
        if (over) {
            running.decrementAndGet();
            return;
        }
        StringBuilder body = new StringBuilder("{\"operations\":[");
        for (int i = 0; i < size; i++) {
            body.append(i > 0 ? "," : "")
                    .append("{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"writes\",\"key\":\"")
                    .append(key)
                    .append('.')
                    .append(i)
                    .append("\",\"value\":")
                    .append(value)
                    .append('}');
        }
        long began = System.nanoTime();
        connection.ask("POST", "/api/v1/change-sets", body.append("]}").toString()).onComplete(done -> {
            if (done.failed() && over) {
                // the connections are being closed
                return;
            }
            if (done.failed()) {
                System.err.println(done.cause().getMessage());
                System.exit(1);
            }
            written.add(size);
            nanos.add(System.nanoTime() - began);
            writeSet(connection, key, value + 1);
        });
    }

    private void write(Connection connection, String path, long value) {
        if (over) {
            running.decrementAndGet();
            return;
        }
        long began = System.nanoTime();
        connection.ask("PUT", path, "{\"value\":" + value + "}").onComplete(done -> {
            if (done.failed() && over) {
                // the connections are being closed
                return;
            }
            if (done.failed()) {
                System.err.println(done.cause().getMessage());
                System.exit(1);
            }
            written.increment();
            nanos.add(System.nanoTime() - began);
            write(connection, path, value + 1);
        });
    }
}
