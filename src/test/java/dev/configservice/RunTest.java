package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.NodeProcess;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestServers;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The service as a process: its start, its stop, and its refusal to start. */
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

    @Test
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
                Awaitility.await().until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
            }
        }
    }

    @Test
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
        Path pidFile = Path.of(settings.get("CS_EMBEDDED_DIRECTORY"), "postgres", "postmaster.pid");
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
