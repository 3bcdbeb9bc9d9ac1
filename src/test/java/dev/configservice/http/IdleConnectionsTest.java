package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

class IdleConnectionsTest {
    private final Vertx vertx = Vertx.vertx();
    private final IdleConnections connections =
            new IdleConnections(AddressLimit.ofConnections(0, new SimpleMeterRegistry()));
    private final Context loop = vertx.getOrCreateContext();

    /** Runs a task on the event loop of the connections. */
    private int onLoop(IntSupplier what) {
        Promise<Integer> promise = Promise.promise();
        loop.runOnContext(v -> promise.complete(what.getAsInt()));
        return promise.future().await();
    }

    @Test
    void idleConnectionsAreClosedAndStreamsAreNot() throws IOException {
        Promise<HttpServer> listening = Promise.promise();
        loop.runOnContext(v -> {
            Future<HttpServer> server = vertx.createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
                    .connectionHandler(connections::opened)
                    .requestHandler(request -> {
                        IdleConnections.Use use = connections.of(request.connection());
                        use.began(System.nanoTime());
                        if (request.path().equals("/stream")) {
                            use.streams();
                            request.response().setChunked(true).write("x");
                        } else if (request.path().equals("/busy")) {
                            request.response().setChunked(true).write("x");
                        } else {
                            use.ended();
                            request.response().end("x");
                        }
                    })
                    .listen(0, "127.0.0.1");
            server.onComplete(listening);
        });
        int port = listening.future().await().actualPort();
        try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), port);
                Socket asking = new Socket(InetAddress.getLoopbackAddress(), port);
                Socket busy = new Socket(InetAddress.getLoopbackAddress(), port);
                Socket streaming = new Socket(InetAddress.getLoopbackAddress(), port)) {
            ask(asking, "/");
            ask(busy, "/busy");
            ask(streaming, "/stream");
            Duration minute = Duration.ofMinutes(1);
            assertThat(onLoop(() -> connections.sweep(minute, minute))).isZero();

            assertThat(onLoop(() -> connections.sweep(Duration.ZERO, minute))).isEqualTo(2);

            assertThat(silent.getInputStream().read()).isEqualTo(-1);
            assertThat(asking.getInputStream().read()).isEqualTo(-1);
            assertThat(onLoop(() -> connections.sweep(Duration.ZERO, Duration.ZERO)))
                    .isEqualTo(1);
            assertThat(onLoop(() -> connections.sweep(Duration.ZERO, Duration.ZERO)))
                    .as("closed streams")
                    .isZero();
        } finally {
            vertx.close().await();
        }
    }

    private static void ask(Socket socket, String path) throws IOException {
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        InputStream in = socket.getInputStream();
        int last;
        do {
            last = in.read();
            assertThat(last).isNotEqualTo(-1);
        } while (last != 'x');
    }
}
