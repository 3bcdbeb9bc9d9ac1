package dev.configservice.load;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Writes many configurations or flags. Arguments: the port, then {@code configurations} with the first layer, the one after
 * the last and the keys of each, or {@code flags} with an environment, how many flags and how many rules each has. Prints
 * how many a second.
 */
public final class Seed {
    private static final int IN_FLIGHT = 128;

    private final Vertx vertx = Vertx.vertx();
    private final NetClient net = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));
    private final AtomicInteger next = new AtomicInteger();
    private final int port;

    /** One thing to write, by its number. */
    private interface Body {
        String of(int number);
    }

    private Seed(int port) {
        this.port = port;
    }

    public static void main(String[] a) throws Exception {
        Seed seed = new Seed(Integer.parseInt(a[0]));
        if (a[1].equals("configurations")) {
            int from = Integer.parseInt(a[2]);
            int keys = Integer.parseInt(a[4]);
            seed.write("/api/v1/config", (Integer.parseInt(a[3]) - from) * keys, i -> "{\"key\":\"key." + i % keys
                    + "\",\"value\":\"value-" + i % keys + "\",\"environment\":\"scale\",\"service_name\":\"s"
                    + (from + i / keys) + "\"}");
        } else {
            int rules = Integer.parseInt(a[4]);
            seed.write("/api/v1/feature-flags", Integer.parseInt(a[3]), i -> flag(a[2], i, rules));
        }
        seed.vertx.close().await();
    }

    /** No rule but the last can match, so that all are tried. */
    private static String flag(String environment, int number, int rules) {
        StringBuilder b = new StringBuilder("{\"name\":\"flag-" + number + "\",\"environment\":\"" + environment
                + "\",\"is_enabled\":true,\"variants\":[{\"name\":\"on\",\"value\":true,\"weight\":1}],\"rules\":[");
        for (int r = 0; r < rules; r++) {
            b.append(r == 0 ? "" : ",")
                    .append("{\"constraints\":[{\"attribute\":\"plan\",\"operator\":\"in\",\"values\":[\"")
                    .append(r == rules - 1 ? "gold" : "plan-" + r)
                    .append("\"]}],\"variant\":\"on\"}");
        }
        return b.append("]}").toString();
    }

    private void write(String path, int count, Body body) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(count);
        long began = System.nanoTime();
        for (int i = 0; i < Math.min(count, IN_FLIGHT); i++) {
            write(new Connection(net, port), path, count, body, left);
        }
        left.await();
        System.out.printf("%.0f%n", count / ((System.nanoTime() - began) / 1e9));
    }

    private void write(Connection connection, String path, int count, Body body, CountDownLatch left) {
        int number = next.getAndIncrement();
        if (number >= count) {
            return;
        }
        connection.ask("POST", path, body.of(number)).onComplete(done -> {
            if (done.failed()) {
                System.err.println(done.cause().getMessage());
                System.exit(1);
            }
            left.countDown();
            write(connection, path, count, body, left);
        });
    }
}
