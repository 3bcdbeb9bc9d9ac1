package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The limits of what one address may have open, on a node of their own. */
class AddressLimitTest {
    /** Opens a connection, sends a request, and returns the first line of the response; empty if there was none. */
    private static String ask(List<Socket> sockets, int port, String path) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        sockets.add(socket);
        socket.setSoTimeout(20_000);
        try {
            socket.getOutputStream()
                    .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c != -1 && c != '\r'; c = in.read()) {
                line.append((char) c);
            }
            return line.toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static void close(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        sockets.clear();
    }

    @Test
    void connectionsBeyondTheLimitAreClosedAndPlacesComeBack() throws IOException {
        try (TestNode node = TestNode.start(Map.of("CS_HTTP_MAX_CONNECTIONS_PER_ADDRESS", "3"))) {
            List<Socket> sockets = new ArrayList<>();
            await().until(() -> {
                close(sockets);
                return ask(sockets, node.port(), "/live").equals("HTTP/1.1 200 OK");
            });
            assertThat(ask(sockets, node.port(), "/live")).isEqualTo("HTTP/1.1 200 OK");
            assertThat(ask(sockets, node.port(), "/live")).isEqualTo("HTTP/1.1 200 OK");
            assertThat(ask(sockets, node.port(), "/live")).isEmpty();
            assertThat(ask(sockets, node.port(), "/live")).isEmpty();
            close(sockets);
            await().until(() -> ask(sockets, node.port(), "/live").equals("HTTP/1.1 200 OK"));
            close(sockets);
        }
    }

    @Test
    void streamsBeyondTheLimitAreRefusedAndPlacesComeBack() throws IOException {
        try (TestNode node = TestNode.start(Map.of("CS_HTTP_MAX_STREAMS_PER_ADDRESS", "2"))) {
            List<Socket> sockets = new ArrayList<>();
            String stream = "/api/v1/changes/stream";
            assertThat(ask(sockets, node.port(), stream)).isEqualTo("HTTP/1.1 200 OK");
            assertThat(ask(sockets, node.port(), stream)).isEqualTo("HTTP/1.1 200 OK");
            Reply refused = node.admin().get("/changes/stream");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.field("detail")).contains("http.max-streams-per-address");
            close(sockets);
            await().until(() -> {
                close(sockets);
                return ask(sockets, node.port(), stream).equals("HTTP/1.1 200 OK");
            });
            close(sockets);
        }
    }
}
