package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The service as a process: how it starts, stops, and refuses to. */
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

    private static Process start(Path output, Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.configservice.Main"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(k -> k.startsWith("CS_"));
        builder.environment().putAll(settings);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String refusal(Map<String, String> settings, String... arguments) throws Exception {
        Path output = TestServers.directory("out").resolve("output");
        Process process = start(output, settings, arguments);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String said = Files.readString(output);
        assertThat(process.exitValue()).as(said).isEqualTo(1);
        assertThat(process.descendants()).isEmpty();
        return said;
    }

    @Test
    void itStartsAnswersStopsAndFindsItsDataAgain() throws Exception {
        Map<String, String> settings = settings();
        Path output = TestServers.directory("out").resolve("output");
        Api api = Api.anonymous(Integer.parseInt(settings.get("CS_HTTP_PORT"))).key("admin-key");
        for (int run = 1; run <= 2; run++) {
            Process process = start(output, settings, "--embedded");
            List<ProcessHandle> children;
            try {
                Awaitility.await()
                        .atMost(Duration.ofSeconds(90))
                        .ignoreExceptions()
                        .until(() -> api.get("/ready").status() == 200);
                if (run == 1) {
                    assertThat(api.post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"development\"}")
                                    .status())
                            .isEqualTo(201);
                }
                assertThat(api.get("/config/k").field("value")).isEqualTo("1");
                children = process.descendants().toList();
            } finally {
                process.destroy();
            }
            assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
            String said = Files.readString(output);
            assertThat(said).contains("curl -X POST", "PostgreSQL", "Kafka", "Redis");
            Awaitility.await().until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    @Test
    void whatAKilledServiceLeftRunningIsStoppedAtTheNextStart() throws Exception {
        Map<String, String> settings = settings();
        Path output = TestServers.directory("out").resolve("output");
        Api api = Api.anonymous(Integer.parseInt(settings.get("CS_HTTP_PORT")));
        Process killed = start(output, settings, "--embedded");
        Awaitility.await()
                .atMost(Duration.ofSeconds(90))
                .ignoreExceptions()
                .until(() -> api.get("/ready").status() == 200);
        killed.destroyForcibly().waitFor();

        Process next = start(output, settings, "--embedded");
        try {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(90))
                    .ignoreExceptions()
                    .until(() -> api.get("/ready").status() == 200);
        } finally {
            next.destroy();
        }
        assertThat(next.waitFor(40, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aUsedPortIsOneClearLine() throws Exception {
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
    void wrongSettingsAreOneClearLineEach() throws Exception {
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
