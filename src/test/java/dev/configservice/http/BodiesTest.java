package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Stalled request bodies, on a real server with one event loop. */
@ExtendWith(VertxExtension.class)
class BodiesTest {
    private static final int BUDGET = 400_000;

    private final MeterRegistry meters = new SimpleMeterRegistry();
    private final List<Socket> sockets = new ArrayList<>();
    private int port;

    /**
     * A server that responds with the length of the body or with the code of the failure. A request counts as one with
     * a credential if it has a header {@code key}.
     */
    private final class Server extends VerticleBase {
        private final Duration deadline;

        Server(Duration deadline) {
            this.deadline = deadline;
        }

        @Override
        public Future<?> start() {
            Bodies bodies = new Bodies(ByteBudget.ofBodies(BUDGET, meters), deadline);
            vertx.setPeriodic(50, t -> bodies.sweep());
            return vertx.createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
                    .requestHandler(request -> {
                        request.pause();
                        bodies.receive(request, request.getHeader("key") == null, Bodies.MAX_BYTES)
                                .onComplete(done -> {
                                    String answer = done.succeeded()
                                            ? Integer.toString(done.result().length())
                                            : ((ServiceException) done.cause())
                                                    .code()
                                                    .name();
                                    request.response()
                                            .putHeader("Connection", "close")
                                            .end(answer);
                                    Bodies.closeUnlessArrived(request);
                                });
                    })
                    .listen(0, "127.0.0.1")
                    .onSuccess(s -> port = s.actualPort());
        }
    }

    @BeforeEach
    void start(Vertx vertx) {
        vertx.deployVerticle(new Server(Duration.ofSeconds(20))).await();
    }

    @AfterEach
    void stop() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** Sends the head of a request and the first bytes of its body. */
    private Socket begin(String header, int length, int sent) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        sockets.add(socket);
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + header + "Content-Length: " + length
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(new byte[sent]);
        return socket;
    }

    private static String answer(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        String all = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        return all.substring(all.indexOf("\r\n\r\n") + 4);
    }

    private double held() {
        return meters.get("config_service_http_bodies_bytes").gauge().value();
    }

    @Test
    void stalledBodiesStayWithinTheBudgetAndOthersStillArrive() throws IOException {
        List<Socket> stalled = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            stalled.add(begin("", 100_000, 90_000));
            assertThat(held()).isLessThanOrEqualTo(BUDGET);
        }
        // stalled bodies are cut until there is room
        await().untilAsserted(() -> {
            assertThat(meters.get("config_service_http_bodies_cut").counter().count())
                    .isPositive();
            assertThat(held()).isLessThanOrEqualTo(BUDGET / 2.0);
        });

        for (int i = 0; i < 10; i++) {
            assertThat(answer(begin("key: k\r\n", 100_000, 100_000))).isEqualTo("100000");
        }
        assertThat(answer(begin("", 1000, 1000))).isEqualTo("1000");
        for (Socket socket : stalled) {
            socket.close();
        }
        await().untilAsserted(() -> assertThat(held()).isZero());
    }

    @Test
    void anOverdueBodyIsCutEvenIfThereIsRoom(Vertx vertx) throws IOException {
        vertx.deployVerticle(new Server(Duration.ofMillis(300))).await();
        assertThat(answer(begin("key: k\r\n", 100, 10))).isEqualTo(ErrorCode.REQUEST_TIMEOUT.name());
        await().untilAsserted(() -> assertThat(held()).isZero());
    }

    @Test
    void aBodyWithALengthAboveTheLimitIsRefused() throws IOException {
        assertThat(answer(begin("", Bodies.MAX_BYTES + 1, 0))).isEqualTo(ErrorCode.TOO_LARGE.name());
    }
}
