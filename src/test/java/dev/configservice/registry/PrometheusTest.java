package dev.configservice.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Tools;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Prometheus itself, which finds instances in both ways. */
@Tag("servers")
class PrometheusTest {
    private static final Path PROMETHEUS = Path.of("/usr/bin/prometheus");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static JsonNode targets(int port) throws Exception {
        URI address = URI.create("http://127.0.0.1:" + port + "/api/v1/targets");
        return Json.read(CLIENT.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString())
                        .body())
                .at("/data/activeTargets");
    }

    /** Returns the labels that were discovered by a job, by the id of the instance. */
    private static Map<String, JsonNode> discovered(int port, String job, String idLabel) throws Exception {
        Map<String, JsonNode> found = new HashMap<>();
        for (JsonNode target : targets(port)) {
            JsonNode labels = target.get("discoveredLabels");
            if (labels.get("job").asText().equals(job)) {
                found.put(labels.path(idLabel).asText(), labels);
            }
        }
        return found;
    }

    @Test
    void findsInstancesByHttpAndByEureka() throws Exception {
        Tools.require(Files.isExecutable(PROMETHEUS), "prometheus must be installed");
        try (TestNode node = TestNode.start(Map.of("CS_REDIS_URI", ""))) {
            Api admin = node.admin();
            admin.post(
                    "/registry/register",
                    "{\"service_name\":\"orders\",\"service_url\":\"https://127.0.0.1:9/base/\",\"instance_id\":\"own\","
                            + "\"metadata\":{\"a.b\":\"1\",\"a-b\":\"2\",\"a_b\":\"3\",\"zone\":\"eu\"}}");
            admin.post(
                    "/registry/register",
                    "{\"service_name\":\"orders\",\"service_url\":\"http://127.0.0.1:9\",\"instance_id\":\"path\","
                            + "\"metadata\":{\"metrics_path\":\"/actuator/prometheus\"}}");
            admin.post(
                    "/registry/register",
                    "{\"service_name\":\"queue\",\"service_url\":\"amqp://127.0.0.1:5672\",\"instance_id\":\"no-http\"}");
            admin.post("/eureka/apps/PAY", """
                    {"instance":{"instanceId":"e:1","hostName":"127.0.0.1","app":"PAY","ipAddr":"127.0.0.1","status":"UP",
                    "port":{"$":9,"@enabled":"true"},"dataCenterInfo":{"name":"MyOwn"},"metadata":{"zone":"eu-1"},
                    "vipAddress":"pay"}}""");
            int port = Ports.free();
            Path directory = TestServers.directory("prometheus").toAbsolutePath();
            Files.writeString(directory.resolve("prometheus.yml"), """
                    scrape_configs:
                      - job_name: http
                        http_sd_configs: [{url: "%1$s/api/v1/registry/prometheus-sd", refresh_interval: 1s}]
                      - job_name: eureka
                        eureka_sd_configs: [{server: "%1$s/eureka", refresh_interval: 1s}]
                    """.formatted(
                            node.anonymous().base()));
            Process prometheus = new ProcessBuilder(
                            PROMETHEUS.toString(),
                            "--config.file=" + directory.resolve("prometheus.yml"),
                            "--storage.tsdb.path=" + directory.resolve("data"),
                            "--web.listen-address=127.0.0.1:" + port)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("output").toFile())
                    .start();
            try {
                await().atMost(Duration.ofSeconds(40))
                        .ignoreExceptions()
                        .until(() -> discovered(port, "http", "__meta_config_service_instance_id")
                                                .size()
                                        == 3
                                && discovered(port, "eureka", "__meta_eureka_app_instance_id")
                                                .size()
                                        == 4);
                Map<String, JsonNode> http = discovered(port, "http", "__meta_config_service_instance_id");
                assertThat(http).containsOnlyKeys("own", "path", "e:1");
                JsonNode own = http.getOrDefault("own", Json.object());
                assertThat(own.get("__scheme__").asText()).isEqualTo("https");
                assertThat(own.get("__metrics_path__").asText()).isEqualTo("/base/metrics");
                assertThat(own.get("__meta_config_service_url").asText()).isEqualTo("https://127.0.0.1:9/base/");
                assertThat(own.get("__meta_config_service_metadata_a_b").asText())
                        .isEqualTo("3");
                assertThat(own.toString().split("__meta_config_service_metadata_a_b_", -1))
                        .hasSize(3);
                JsonNode path = http.getOrDefault("path", Json.object());
                assertThat(path.get("__metrics_path__").asText()).isEqualTo("/actuator/prometheus");
                JsonNode eureka = discovered(port, "eureka", "__meta_eureka_app_instance_id")
                        .getOrDefault("e:1", Json.object());
                assertThat(eureka.get("__address__").asText()).isEqualTo("127.0.0.1:9");
                assertThat(eureka.get("__meta_eureka_app_name").asText()).isEqualTo("PAY");
                assertThat(eureka.get("__meta_eureka_app_instance_status").asText())
                        .isEqualTo("UP");
                assertThat(eureka.get("__meta_eureka_app_instance_metadata_zone")
                                .asText())
                        .isEqualTo("eu-1");
                assertThat(eureka.get("__meta_eureka_app_instance_vip_address").asText())
                        .isEqualTo("pay");
            } finally {
                prometheus.destroyForcibly();
                prometheus.waitFor();
            }
        }
    }
}
