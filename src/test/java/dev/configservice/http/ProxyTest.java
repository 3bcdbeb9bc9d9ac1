package dev.configservice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Tools;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nodes behind the proxies whose configurations operations.md shows. */
@Tag("servers")
class ProxyTest {
    private final TestNode node = TestNode.shared();
    private final int port = Ports.free();
    private final Path directory = TestServers.directory("proxy").toAbsolutePath();

    /** Returns the configuration that the document shows for a proxy. */
    private static String shown(String proxy) throws IOException {
        String document = Files.readString(Path.of("src/docs/operations.md"));
        int from = document.indexOf("```", document.indexOf("\n" + proxy + ":\n")) + 4;
        return document.substring(from, document.indexOf("```", from));
    }

    private static Path installed(String name) {
        Path program = Path.of("/usr/sbin/" + name);
        Tools.require(Files.isExecutable(program), name + " must be installed");
        return program;
    }

    @Test
    void nginx() throws Exception {
        Path nginx = installed("nginx");
        String shown = shown("nginx")
                .replaceFirst("server 10\\.0\\.0\\.1:8082;", "server 127.0.0.1:" + node.port() + ";")
                .replaceFirst("server 10\\.0\\.0\\.2:8082;", "")
                .replace("listen 443 ssl;", "listen 127.0.0.1:" + port + ";");
        String d = directory.toString();
        Path file = Files.writeString(
                directory.resolve("nginx.conf"),
                "daemon off; user root; pid " + d + "/pid; error_log " + d
                        + "/error.log; events {}\nhttp { access_log off;"
                        + " client_body_temp_path " + d + "/b; proxy_temp_path " + d + "/p; fastcgi_temp_path " + d
                        + "/f; uwsgi_temp_path " + d + "/u; scgi_temp_path " + d + "/s;\n" + shown + "}\n");
        passes(new ProcessBuilder(nginx.toString(), "-c", file.toString()));
    }

    @Test
    void haproxy() throws Exception {
        Path haproxy = installed("haproxy");
        String shown = shown("HAProxy")
                .replace("server one 10.0.0.1:8082 check", "server one 127.0.0.1:" + node.port() + " check inter 200ms")
                .replaceFirst(".*server two .*\n", "")
                .replaceFirst("bind :443 ssl crt \\S+", "bind 127.0.0.1:" + port);
        Path file = Files.writeString(directory.resolve("haproxy.cfg"), shown);
        passes(new ProcessBuilder(haproxy.toString(), "-db", "-f", file.toString()));
    }

    /** Starts a proxy, and checks that reads, writes, long polls and streams pass it without delay. */
    private void passes(ProcessBuilder proxy) throws Exception {
        Process process = proxy.redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        try {
            Api admin = Api.anonymous(port).key(TestNode.ADMIN_KEY);
            await().atMost(Duration.ofSeconds(20))
                    .ignoreExceptions()
                    .until(() -> admin.get("/health").status() == 200);
            String env = "proxy-" + port;
            long revision = create(admin, env, "first");
            assertThat(admin.get("/config/first?environment=" + env).status()).isEqualTo(200);

            CompletableFuture<String> poll = CompletableFuture.supplyAsync(
                    () -> admin.get("/changes?wait=30&environment=" + env + "&after=" + revision)
                            .text());
            try (Socket stream = new Socket(InetAddress.getLoopbackAddress(), port)) {
                stream.setSoTimeout(10_000);
                stream.getOutputStream()
                        .write(("GET /api/v1/changes/stream?environment=" + env
                                        + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
                InputStream in = stream.getInputStream();
                assertThat(until(in, "text/event-stream")).contains("200");
                create(admin, env, "second");
                long sent = System.nanoTime();
                until(in, "second");
                assertThat(Duration.ofNanos(System.nanoTime() - sent)).isLessThan(Duration.ofSeconds(5));
            }
            assertThat(poll.join()).contains("second");
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
    }

    private static long create(Api admin, String env, String key) {
        return admin.post("/config", "{\"key\":\"" + key + "\",\"value\":1,\"environment\":\"" + env + "\"}")
                .revision();
    }

    private static String until(InputStream in, String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text) < 0) {
            int c = in.read();
            assertThat(c).as("the stream went on: " + read).isNotEqualTo(-1);
            read.append((char) c);
        }
        return read.toString();
    }
}
