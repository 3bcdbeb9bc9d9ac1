package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that do not read their responses, on a real server with one event loop. */
@ExtendWith(VertxExtension.class)
class AnswersTest {
    private static final int LARGE = 20_000_000;

    private final MeterRegistry meters = new SimpleMeterRegistry();
    private final List<Socket> sockets = new ArrayList<>();
    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicInteger turns = new AtomicInteger();
    private int port;

    /** A server whose responses have as many bytes as the path says. */
    private final class Server extends VerticleBase {
        private final long budget;
        private final Duration deadline;

        Server(long budget, Duration deadline) {
            this.budget = budget;
            this.deadline = deadline;
        }

        private void turn(Runnable task) {
            turns.incrementAndGet();
            context.runOnContext(v -> task.run());
        }

        @Override
        public Future<?> start() {
            Answers answers = new Answers(ByteBudget.ofAnswers(budget, meters), this::turn, deadline);
            vertx.setPeriodic(50, t -> answers.sweep());
            return vertx.createHttpServer(new HttpServerOptions()
                            .setHttp2ClearTextEnabled(false)
                            .setPerMessageWebSocketCompressionSupported(false)
                            .setPerFrameWebSocketCompressionSupported(false))
                    .requestHandler(request -> {
                        byte[] body = new byte[Integer.parseInt(request.path().substring(1))];
                        for (int i = 0; i < body.length; i++) {
                            body[i] = (byte) ('a' + i % 23);
                        }
                        boolean room = answers.send(
                                request.response(),
                                () -> request.connection().close(),
                                Buffer.buffer(body),
                                request.getHeader("key") == null,
                                ended::incrementAndGet);
                        if (!room) {
                            request.response().setStatusCode(503).end();
                        }
                    })
                    .listen(0, "127.0.0.1")
                    .onSuccess(server -> port = server.actualPort());
        }
    }

    private void start(Vertx vertx, long budget, Duration deadline) {
        vertx.deployVerticle(new Server(budget, deadline)).await();
    }

    @AfterEach
    void closeSockets() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private Socket ask(int bytes, String headers, int times) throws IOException {
        Socket socket = new Socket();
        // a small window: what is not read stays with the server
        socket.setReceiveBufferSize(8192);
        socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(20_000);
        sockets.add(socket);
        socket.getOutputStream()
                .write(("GET /" + bytes + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n")
                        .repeat(times)
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private double held() {
        return meters.get("config_service_http_answers_bytes").gauge().value();
    }

    @Test
    void aLargeResponseArrivesWholeAndIsHeldOnlyUntilThen(Vertx vertx) throws IOException {
        start(vertx, 100_000_000, Duration.ofSeconds(30));
        Socket socket = ask(LARGE, "Connection: close\r\n", 1);

        byte[] all = socket.getInputStream().readAllBytes();

        int body = new String(all, 0, 300, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n") + 4;
        assertThat(all.length - body).isEqualTo(LARGE);
        for (int i = 0; i < LARGE; i += 9973) {
            assertThat(all[body + i]).isEqualTo((byte) ('a' + i % 23));
        }
        await().untilAsserted(() -> assertThat(held()).isZero());
        assertThat(ended).hasValue(1);
    }

    @Test
    void aLargeResponseGivesWayToOthersHoweverFastItIsRead(Vertx vertx) throws IOException {
        start(vertx, 100_000_000, Duration.ofSeconds(30));
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write(("GET /" + LARGE + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().readAllBytes()).hasSizeGreaterThan(LARGE);
        }
        // without turns all of it is written at once, as far as the socket takes it
        assertThat(turns.get()).isGreaterThan(10);
    }

    @Test
    void aClientThatReadsNothingIsDisconnectedAtTheDeadline(Vertx vertx) throws IOException {
        start(vertx, 100_000_000, Duration.ofMillis(500));
        ask(LARGE, "", 1);

        await().untilAsserted(() -> assertThat(held()).isPositive());
        await().untilAsserted(() -> assertThat(ended).hasValue(1));
        assertThat(held()).isZero();
        assertThat(meters.get("config_service_http_answers_cut").counter().count())
                .isOne();
    }

    @Test
    void aClientThatReadsTakesTheRoomOfOnesThatDoNot(Vertx vertx) throws IOException {
        start(vertx, 3L * LARGE, Duration.ofSeconds(30));
        for (int i = 0; i < 3; i++) {
            ask(LARGE, "", 1);
        }
        await().untilAsserted(() -> assertThat(held()).isPositive());

        await().untilAsserted(() -> {
            Socket honest = ask(LARGE, "key: k\r\nConnection: close\r\n", 1);
            assertThat(honest.getInputStream().readAllBytes().length).isGreaterThan(LARGE);
        });
        assertThat(meters.get("config_service_http_answers_cut").counter().count())
                .isPositive();
    }

    @Test
    void aClientThatHasNotReadItsResponsesGetsNoFurtherOne(Vertx vertx) throws IOException, InterruptedException {
        start(vertx, 100_000_000, Duration.ofSeconds(30));
        Socket socket = ask(50_000, "", 2000);

        // what the kernel takes for a connection is far less than the 100 MB that were asked for
        await().during(Duration.ofMillis(500))
                .atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(ended.get()).isBetween(1, 1000));
        assertThat(held()).isLessThanOrEqualTo(50_000);
        InputStream in = socket.getInputStream();
        byte[] chunk = new byte[1 << 16];
        while (ended.get() < 2000) {
            assertThat(in.read(chunk)).isPositive();
        }
    }
}
