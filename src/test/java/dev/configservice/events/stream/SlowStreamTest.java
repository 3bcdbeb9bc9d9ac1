package dev.configservice.events.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A client that reads more slowly than changes arrive. */
class SlowStreamTest {
    /** More than the kernel, the socket and the node's memory of recent changes hold together. */
    private static final int CHANGES = 90;

    @Test
    void aSlowStreamLeavesTheLiveChangesAndMissesNothing() throws IOException {
        try (TestNode node = TestNode.start(Map.of());
                Socket slow = new Socket()) {
            slow.setReceiveBufferSize(16_384);
            slow.setSoTimeout(30_000);
            slow.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), node.port()));
            slow.getOutputStream()
                    .write("GET /api/v1/changes/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(slow.getInputStream(), StandardCharsets.UTF_8), 1024);
            String line = lines.readLine();
            while (!line.startsWith("event: hello")) {
                line = lines.readLine();
            }

            List<Long> written = new ArrayList<>();
            for (int i = 0; i < CHANGES; i++) {
                Reply created = node.admin()
                        .post(
                                "/config",
                                "{\"key\":\"k\",\"value\":\"" + "x".repeat(500_000)
                                        + "\",\"environment\":\"e\",\"service_name\":\"s" + i + "\"}");
                assertThat(created.status()).isEqualTo(201);
                written.add(created.revision());
            }
            List<Long> heard = new ArrayList<>();
            long id = 0;
            while (heard.size() < CHANGES) {
                line = lines.readLine();
                assertThat(line).as("the stream was closed after %s", heard).isNotNull();
                if (line.startsWith("id: ")) {
                    id = Long.parseLong(line.substring(4));
                } else if (line.startsWith("event: configuration.")) {
                    heard.add(id);
                }
                assertThat(line).isNotEqualTo("event: resync");
            }
            assertThat(heard).isEqualTo(written);
            assertThat(node.anonymous().get("/metrics").text())
                    .containsPattern("config_service_streams_dropped_total\\{[^}]*} 0.0");
        }
    }
}
