package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Eight writers of keys of their own beside many writers of one key, and beside as many of keys of their own, in turn.
 * Arguments: the port, the number of the many, the seconds of each, the number of pairs. Prints how many writes a second the
 * eight and the many reach.
 */
public final class Hot {
    private static final int HONEST = 8;

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final int port;
    private volatile boolean over;

    private Hot(int port) {
        this.port = port;
    }

    public static void main(String[] a) throws Exception {
        Hot hot = new Hot(Integer.parseInt(a[0]));
        try {
            hot.run(Integer.parseInt(a[1]), Integer.parseInt(a[2]), Integer.parseInt(a[3]));
        } catch (Exception e) {
            e.printStackTrace();
            System.exit(1);
        }
        hot.vertx.close().await();
    }

    private void run(int many, int seconds, int pairs) throws Exception {
        List<String> own = keys("own", HONEST);
        List<String> keys = keys("key", many);
        List<String> one = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            one.add(keys.get(0));
        }
        // the compiler takes its share at first
        measure(own, keys, seconds);
        System.out.println("| beside | the 8 writers, a second | the " + many + " writers, a second |");
        System.out.println("| --- | --- | --- |");
        double spread = 0;
        double hot = 0;
        for (int i = 0; i < pairs; i++) {
            double[] apart = measure(own, keys, seconds);
            double[] together = measure(own, one, seconds);
            System.out.printf("| %d writers of %d keys | %.0f | %.0f |%n", many, many, apart[0], apart[1]);
            System.out.printf("| %d writers of one key | %.0f | %.0f |%n", many, together[0], together[1]);
            spread += apart[0];
            hot += together[0];
        }
        System.out.printf("| ratio for the 8 | %.2f | |%n", hot / spread);
    }

    private List<String> keys(String name, int count) {
        Connection connection = new Connection(net, port);
        List<String> paths = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            paths.add("/api/v1/config/" + connection
                    .ask("POST", "/api/v1/config", Requests.configuration("hot", "s", name + "." + i, "0"))
                    .await()
                    .toJsonObject()
                    .getString("id"));
        }
        return paths;
    }

    private double[] measure(List<String> own, List<String> others, int seconds) throws InterruptedException {
        over = false;
        LongAdder mine = new LongAdder();
        LongAdder theirs = new LongAdder();
        List<Connection> connections = new ArrayList<>();
        own.forEach(path -> begin(path, mine, connections));
        others.forEach(path -> begin(path, theirs, connections));
        Thread.sleep(Duration.ofSeconds(1).toMillis());
        mine.reset();
        theirs.reset();
        Thread.sleep(Duration.ofSeconds(seconds).toMillis());
        double[] result = {(double) mine.sum() / seconds, (double) theirs.sum() / seconds};
        over = true;
        Thread.sleep(Duration.ofSeconds(1).toMillis());
        connections.forEach(Connection::close);
        return result;
    }

    private void begin(String path, LongAdder written, List<Connection> connections) {
        Connection connection = new Connection(net, port);
        connections.add(connection);
        write(connection, path, written);
    }

    private void write(Connection connection, String path, LongAdder written) {
        if (over) {
            return;
        }
        connection.ask("PUT", path, "{\"value\":" + System.nanoTime() + "}").onComplete(done -> {
            if (done.succeeded()) {
                written.increment();
            } else if (!over) {
                System.err.println(done.cause().getMessage());
            }
            write(connection, path, written);
        });
    }
}
