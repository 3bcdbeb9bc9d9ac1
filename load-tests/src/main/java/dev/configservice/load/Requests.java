package dev.configservice.load;

import io.vertx.core.net.NetClient;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntFunction;

/** Many requests with a body each, {@value #AT_ONCE} at a time. */
final class Requests {
    private static final int AT_ONCE = 64;

    private final NetClient net;
    private final int port;

    Requests(NetClient net, int port) {
        this.net = net;
        this.port = port;
    }

    /** Posts bodies to a path. Blocks until all were accepted; ends the process if one is not. */
    void post(String path, int count, IntFunction<String> body) throws InterruptedException {
        CountDownLatch left = new CountDownLatch(count);
        for (int i = 0; i < Math.min(AT_ONCE, count); i++) {
            next(new Connection(net, port), i, count, path, body, left);
        }
        left.await();
    }

    private void next(
            Connection connection, int number, int count, String path, IntFunction<String> body, CountDownLatch left) {
        if (number >= count) {
            connection.close();
            return;
        }
        connection.ask("POST", path, body.apply(number)).onComplete(done -> {
            if (done.failed()) {
                System.err.println(done.cause().getMessage());
                System.exit(1);
            }
            left.countDown();
            next(connection, number + AT_ONCE, count, path, body, left);
        });
    }

    /** Returns the body of a configuration. */
    static String configuration(String environment, String service, String key, String value) {
        return "{\"key\":\"" + key + "\",\"value\":" + value + ",\"environment\":\"" + environment + "\""
                + (service.isEmpty() ? "" : ",\"service_name\":\"" + service + "\"") + "}";
    }
}
