package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The service as a process: its start, its stop, and its refusal to start. */
@Tag("servers")
class RunTest {
    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        settings.put("CS_HTTP_PORT", Integer.toString(Ports.free()));
        settings.put("CS_CLUSTER_PORT", Integer.toString(Ports.free()));
        settings.put("CS_EMBEDDED_DIRECTORY", TestServers.directory("run").toString());
        settings.put("CS_EMBEDDED_POSTGRES_PORT", Integer.toString(Ports.free()));
        settings.put("CS_EMBEDDED_REDIS_PORT", Integer.toString(Ports.free()));
        settings.put("CS_EMBEDDED_KAFKA_PORT", Integer.toString(Ports.free()));
        return settings;
    }

    private static String refusal(Map<String, String> settings, String... arguments) {
        try (NodeProcess process = new NodeProcess(settings, arguments)) {
            assertThat(process.await()).as(process.output()).isEqualTo(1);
            assertThat(process.children()).isEmpty();
            return process.output();
        }
    }

    /** Checks that only the owner can read the data, and that the passwords are printed nowhere. */
    private static void assertIsPrivate(Path directory, String output) {
        try {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                    .isEqualTo("rwx------");
            for (String server : List.of("postgres", "redis")) {
                Path file = directory.resolve(server + "-password");
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .isEqualTo("rw-------");
                assertThat(Files.readString(file)).hasSizeGreaterThan(20);
                assertThat(output).doesNotContain(Files.readString(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void versionAndHelpAreShownWithoutSettings() {
        for (String option : List.of("--version", "--help", "-h")) {
            try (NodeProcess process = new NodeProcess(Map.of("CS_HTTP_PORT", "wrong"), option)) {
                assertThat(process.await()).as(process.output()).isZero();
                assertThat(process.output()).contains("config-service");
            }
        }
        assertThat(refusal(Map.of(), "--versoin")).contains("usage: config-service");
    }

    @Test
    @Tag("long")
    void embeddedServersNeedTheirPasswords() throws Exception {
        Map<String, String> settings = settings();
        settings.put("CS_EMBEDDED_POSTGRES_PASSWORD", "first/p@ss word");
        settings.put("CS_EMBEDDED_REDIS_PASSWORD", "red/is: \"p@ss");
        String address = "127.0.0.1:" + settings.get("CS_EMBEDDED_POSTGRES_PORT") + "/postgres";
        for (String password : List.of("first/p@ss word", "another'one")) {
            settings.put("CS_EMBEDDED_POSTGRES_PASSWORD", password);
            try (NodeProcess process = new NodeProcess(settings, "--embedded")) {
                process.awaitReady();
                try (Connection connection =
                        DriverManager.getConnection("jdbc:postgresql://" + address, "postgres", password)) {
                    assertThat(connection.isValid(5)).isTrue();
                }
                for (String wrong : List.of("", "postgres", "first")) {
                    assertThatThrownBy(
                                    () -> DriverManager.getConnection("jdbc:postgresql://" + address, "postgres", wrong)
                                            .close())
                            .isInstanceOf(SQLException.class);
                }
                assertThat(process.api().get("/health").text()).contains("\"part\":\"redis\",\"status\":\"UP\"");
                try (Jedis stranger = new Jedis(
                        "127.0.0.1", Integer.parseInt(String.valueOf(settings.get("CS_EMBEDDED_REDIS_PORT"))))) {
                    assertThatThrownBy(() -> stranger.keys("*")).hasMessageContaining("NOAUTH");
                }
                // with the default key, a page whose own name resolves to this machine gets nothing
                int port = Integer.parseInt(String.valueOf(settings.get("CS_HTTP_PORT")));
                for (String host : List.of("evil.example", "evil.example:" + port, "127.0.0.1.evil.example", "")) {
                    assertThat(status(port, host)).as(host).isIn(400, 403);
                }
                for (String host :
                        List.of("localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port, "app.localhost")) {
                    assertThat(status(port, host)).as(host).isEqualTo(200);
                }
                process.stop();
            }
        }
    }

    private static int status(int port, String host) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream()
                    .write(("GET /api/v1/access/self HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            byte[] line = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
            return Integer.parseInt(new String(line, StandardCharsets.US_ASCII).substring("HTTP/1.1 ".length()));
        }
    }

    @Test
    @Tag("long")
    void aRestartedServiceFindsItsData() {
        Map<String, String> settings = settings();
        for (int run = 1; run <= 2; run++) {
            try (NodeProcess process = new NodeProcess(settings, "--embedded")) {
                process.awaitReady();
                Api api = process.api().key("admin-key");
                if (run == 1) {
                    assertThat(api.post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"development\"}")
                                    .status())
                            .isEqualTo(201);
                }
                assertThat(api.get("/config/k").field("value")).isEqualTo("1");
                List<ProcessHandle> children = process.children();
                assertThat(children).isNotEmpty();

                process.stop();

                assertThat(process.output()).contains("curl -X POST", "PostgreSQL", "Kafka", "Redis");
                assertIsPrivate(Path.of(String.valueOf(settings.get("CS_EMBEDDED_DIRECTORY"))), process.output());
                Awaitility.await().until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
            }
        }
    }

    @Test
    @Tag("long")
    void theNextStartStopsTheEmbeddedServersOfAKilledService() {
        Map<String, String> settings = settings();
        try (NodeProcess killed = new NodeProcess(settings, "--embedded")) {
            killed.awaitReady();
            killed.kill();
        }
        try (NodeProcess next = new NodeProcess(settings, "--embedded")) {
            next.awaitReady();
            next.stop();
        }
    }

    @Test
    void aServiceThatIsStoppedDuringItsStartLeavesNothingRunning() {
        Map<String, String> settings = settings();
        Path pidFile = Path.of(String.valueOf(settings.get("CS_EMBEDDED_DIRECTORY")), "postgres", "postmaster.pid");
        try (NodeProcess process = new NodeProcess(settings, "--embedded")) {
            ProcessHandle postgres = Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(
                            () -> ProcessHandle.of(Long.parseLong(
                                            Files.readAllLines(pidFile).get(0)))
                                    .orElseThrow(),
                            ProcessHandle::isAlive);

            process.stop();

            Awaitility.await().until(() -> !postgres.isAlive());
        }
    }

    @Test
    @Tag("long")
    void aPortInUseIsReportedInOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (String setting :
                    List.of("CS_HTTP_PORT", "CS_CLUSTER_PORT", "CS_EMBEDDED_POSTGRES_PORT", "CS_EMBEDDED_KAFKA_PORT")) {
                Map<String, String> settings = settings();
                settings.put(setting, Integer.toString(taken.getLocalPort()));
                String name = setting.substring(3)
                        .toLowerCase(java.util.Locale.ROOT)
                        .replaceFirst("_", ".")
                        .replace('_', '-');
                assertThat(refusal(settings, "--embedded"))
                        .contains("config-service: " + name + ": ")
                        .contains("expected: a free port");
            }
        }
    }

    @Test
    void eachInvalidSettingIsReportedInOneLine() {
        assertThat(refusal(Map.of()))
                .contains("config-service: postgres.uri: (empty)")
                .contains("config-service: access.admin-key: (empty)");
        Map<String, String> settings = settings();
        settings.put("CS_EMBEDDED_DIRECTORY", "/proc/nowhere");
        assertThat(refusal(settings, "--embedded")).contains("config-service: embedded.directory: /proc/nowhere");
        assertThat(refusal(settings(), "--embeded")).contains("usage:");
        settings.put("CS_EMBEDDED_DIRECTORY", TestServers.directory("run").toString());
        settings.put("CS_SECRETS_KEYSET", "/no/such/file");
        assertThat(refusal(settings, "--embedded")).contains("config-service: secrets.keyset:");
    }
}
