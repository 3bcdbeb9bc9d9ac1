package dev.configservice.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
    private static final Map<String, String> LEAST =
            Map.of("CS_POSTGRES_URI", "postgresql://u:p@db:5432/c", "CS_ACCESS_ADMIN_KEY", "sixteen-characters");

    @Test
    void aVariableOfAnUnknownSectionIsRefused() {
        for (String variable : List.of("CS_HTP_PORT", "CS_PORT", "CS_HTTPPORT", "CS_KAFKA", "CS_CONFIGFILE", "CS_")) {
            assertThatThrownBy(
                            () -> Settings.load(Map.of("CS_ACCESS_ADMIN_KEY", "a-key-of-tests", variable, "9"), true))
                    .as(variable)
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining(variable + ": unknown section");
        }
    }

    @Test
    void variablesOfOthersAreIgnored() {
        Map<String, String> environment = Map.ofEntries(
                Map.entry("CS_URL", "http://somewhere"),
                Map.entry("CS_API_KEY", "key"),
                Map.entry("CS_API_KEY_FILE", "/nowhere"),
                Map.entry("CS_LOG_LEVEL", "DEBUG"),
                Map.entry("CS_LOG_FORMAT", "json"),
                // services named cs, cs-http and cs-http-port
                Map.entry("CS_SERVICE_HOST", "10.0.0.1"),
                Map.entry("CS_SERVICE_PORT", "8082"),
                Map.entry("CS_SERVICE_PORT_HTTP", "8082"),
                Map.entry("CS_PORT", "tcp://10.0.0.1:8082"),
                Map.entry("CS_PORT_8082_TCP", "tcp://10.0.0.1:8082"),
                Map.entry("CS_PORT_8082_TCP_ADDR", "10.0.0.1"),
                Map.entry("CS_PORT_8082_TCP_PORT", "8082"),
                Map.entry("CS_PORT_8082_TCP_PROTO", "tcp"),
                Map.entry("CS_HTTP_SERVICE_HOST", "10.0.0.2"),
                Map.entry("CS_HTTP_PORT", "tcp://10.0.0.2:9999"),
                Map.entry("CS_HTTP_PORT_9999_TCP", "tcp://10.0.0.2:9999"),
                Map.entry("CS_HTTP_PORT_9999_TCP_PORT", "9999"));
        assertThat(Settings.load(environment, true).http().port()).isEqualTo(8082);
    }

    @Test
    void settingsAreShownWithoutWhatMayBeASecret() {
        Map<String, String> environment = new HashMap<>(LEAST);
        List<String> mayBeSecret = List.of(
                "CS_POSTGRES_URI",
                "CS_REDIS_URI",
                "CS_ACCESS_ADMIN_KEY",
                "CS_CLUSTER_SECRET",
                "CS_CLUSTER_SECRET_PREVIOUS",
                "CS_ACCESS_JWT_SECRET",
                "CS_SECRETS_KEYSET",
                "CS_EMBEDDED_POSTGRES_PASSWORD",
                "CS_EMBEDDED_REDIS_PASSWORD");
        mayBeSecret.forEach(name -> environment.put(name, "geheim-geheim-geheim-geheim-geheim"));
        environment.put("CS_POSTGRES_URI", "postgresql://u:geheim@db:5432/c");
        environment.put("CS_REDIS_URI", "redis://:geheim@cache:6379");
        environment.put("CS_ACCESS_JWT_ISSUER", "https://issuer");
        environment.put("CS_ACCESS_JWT_AUDIENCE", "config");
        environment.put("CS_HTTP_PORT", "9");

        Map<String, String> shown = Settings.load(environment, false).shown();

        assertThat(shown.values().toString()).doesNotContain("geheim");
        assertThat(shown)
                .containsEntry("http.port", "9")
                .containsEntry("postgres.uri", "(set)")
                .containsEntry("access.jwt-issuer", "https://issuer")
                .containsEntry("access.jwt-jwks", "");
        List<String> all = new ArrayList<>();
        Settings.defaults().forEach((section, values) -> values.keySet().forEach(k -> all.add(section + "." + k)));
        assertThat(shown.keySet()).containsExactlyInAnyOrderElementsOf(all);
    }

    @Test
    void allSettingsHaveTheExpectedDefaults() {
        Map<String, String> all = new TreeMap<>();
        Settings.defaults().forEach((section, values) -> values.forEach((k, v) -> all.put(section + "." + k, v)));

        assertThat(all)
                .containsExactlyInAnyOrderEntriesOf(Map.ofEntries(
                        Map.entry("http.host", ""),
                        Map.entry("http.port", "8082"),
                        Map.entry("http.cors-origins", ""),
                        Map.entry("http.public-path", ""),
                        Map.entry("http.tls-certificate", ""),
                        Map.entry("http.tls-key", ""),
                        Map.entry("http.max-connections-per-address", "0"),
                        Map.entry("http.max-streams-per-address", "0"),
                        Map.entry("postgres.uri", ""),
                        Map.entry("postgres.pool-size", "8"),
                        Map.entry("redis.uri", ""),
                        Map.entry("kafka.bootstrap-servers", ""),
                        Map.entry("redis.tls-ca", ""),
                        Map.entry("redis.tls-certificate", ""),
                        Map.entry("redis.tls-key", ""),
                        Map.entry("kafka.client-properties", ""),
                        Map.entry("kafka.topic", "config-updates"),
                        Map.entry("kafka.partitions", "6"),
                        Map.entry("kafka.replication-factor", "1"),
                        Map.entry("cluster.name", "config-service"),
                        Map.entry("cluster.role", "core"),
                        Map.entry("cluster.host", "127.0.0.1"),
                        Map.entry("cluster.port", "5701"),
                        Map.entry("cluster.bus-port", "0"),
                        Map.entry("cluster.members", ""),
                        Map.entry("cluster.secret", ""),
                        Map.entry("cluster.secret-previous", ""),
                        Map.entry("access.admin-key", ""),
                        Map.entry("access.anonymous-reads", "true"),
                        Map.entry("access.max-stale", "60s"),
                        Map.entry("access.jwt-issuer", ""),
                        Map.entry("access.jwt-audience", ""),
                        Map.entry("access.jwt-jwks", ""),
                        Map.entry("access.jwt-secret", ""),
                        Map.entry("access.jwt-scope-prefix", ""),
                        Map.entry("access.jwt-rights-claim", ""),
                        Map.entry("access.jwt-rights-map", ""),
                        Map.entry("access.token-key-max-age", "90d"),
                        Map.entry("secrets.keyset", ""),
                        Map.entry("config.default-environment", "development"),
                        Map.entry("config.layer-max-bytes", "16M"),
                        Map.entry("flags.environment-max-bytes", "16M"),
                        Map.entry("registry.service-max-bytes", "16M"),
                        Map.entry("registry.max-bytes", "5%"),
                        Map.entry("cache.near-entries", "20000"),
                        Map.entry("cache.max-bytes", "40%"),
                        Map.entry("changes.max-streams", "20000"),
                        Map.entry("changes.stream-max-age", "1h"),
                        Map.entry("changes.keep", "90d"),
                        Map.entry("changes.history-keep", "0s"),
                        Map.entry("changes.partition-size", "1000000"),
                        Map.entry("registry.protection-threshold", "0.3"),
                        Map.entry("registry.protection-max", "10"),
                        Map.entry("registry.active-checks", "false"),
                        Map.entry("registry.allow-permanent", "true"),
                        Map.entry("registry.check-allow", ""),
                        Map.entry("registry.check-interval", "10s"),
                        Map.entry("facades.ofrep", "true"),
                        Map.entry("facades.spring", "true"),
                        Map.entry("facades.eureka", "true"),
                        Map.entry("facades.consul", "true"),
                        Map.entry("facades.consul-datacenter", "dc1"),
                        Map.entry("facades.consul-keys-environment", "consul"),
                        Map.entry("spring.base-environment", "default"),
                        Map.entry("spring.labels", "main,master,latest"),
                        Map.entry("spring.bus-topic", ""),
                        Map.entry("console.enabled", "true"),
                        Map.entry("console.production", "production,prod"),
                        Map.entry("console.comment-required", "false"),
                        Map.entry("console.oidc-client-id", ""),
                        Map.entry("tracing.endpoint", ""),
                        Map.entry("tracing.share", "0.1"),
                        Map.entry("registry.check-timeout", "2s"),
                        Map.entry("registry.check-unhealthy-after", "3"),
                        Map.entry("registry.check-healthy-after", "2"),
                        Map.entry("registry.check-concurrency", "50"),
                        Map.entry("embedded.enabled", "false"),
                        Map.entry("embedded.directory", "./data"),
                        Map.entry("embedded.kafka-port", "9092"),
                        Map.entry("embedded.postgres-port", "54329"),
                        Map.entry("embedded.redis-port", "63799"),
                        Map.entry("embedded.postgres-password", ""),
                        Map.entry("embedded.redis-password", ""),
                        Map.entry("cluster.kubernetes-dns", "config-service-grid"),
                        Map.entry("cluster.tls-certificate", ""),
                        Map.entry("cluster.tls-key", ""),
                        Map.entry("cluster.tls-ca", ""),
                        Map.entry("shutdown.drain", "3s"),
                        Map.entry("shutdown.grace", "20s")));
    }

    @Test
    void aVariableMayNameAFileThatHoldsTheValue(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("key"), "sixteen-characters\n");
        Map<String, String> settings = new java.util.HashMap<>(LEAST);
        settings.remove("CS_ACCESS_ADMIN_KEY");
        settings.put("CS_ACCESS_ADMIN_KEY_FILE", file.toString());
        assertThat(Settings.load(settings, false).access().adminKey()).isEqualTo("sixteen-characters");
        settings.put("CS_ACCESS_ADMIN_KEY_FILE", directory.resolve("none").toString());
        assertThatThrownBy(() -> Settings.load(settings, false))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("CS_ACCESS_ADMIN_KEY_FILE");
    }

    @Test
    void environmentVariablesOverrideTheFileAndTheFileOverridesDefaults(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("mine.yaml");
        Files.writeString(file, "http:\n  port: 9000\n  cors-origins: https://a.example\n");
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put("CS_CONFIG_FILE", file.toString());
        environment.put("CS_HTTP_PORT", "9001");

        Settings settings = Settings.load(environment, false);

        assertThat(settings.http().port()).isEqualTo(9001);
        assertThat(settings.http().corsOrigins()).containsExactly("https://a.example");
        assertThat(settings.http().host()).isEqualTo("0.0.0.0");
    }

    @Test
    void allInvalidSettingsAreReportedAtOnceByName() {
        assertThatThrownBy(() -> Settings.load(
                        Map.of(
                                "CS_HTTP_PORT", "http",
                                "CS_HTTP_PROT", "1",
                                "CS_CLUSTER_ROLE", "boss",
                                "CS_ACCESS_MAX_STALE", "soon",
                                "CS_ACCESS_JWT_SECRET", "short"),
                        false))
                .isInstanceOfSatisfying(
                        SettingsException.class,
                        e -> assertThat(e.problems())
                                .anyMatch(p -> p.startsWith("http.port: http (expected: a whole number"))
                                .anyMatch(p -> p.startsWith("CS_HTTP_PROT: unknown setting"))
                                .anyMatch(p -> p.startsWith("cluster.role: boss"))
                                .anyMatch(p -> p.startsWith("access.max-stale: soon"))
                                .anyMatch(p -> p.startsWith("postgres.uri: (empty)"))
                                .anyMatch(p -> p.startsWith("access.admin-key: (empty)"))
                                .noneMatch(p -> p.contains("short)")));
    }

    @Test
    void theDefaultAdminKeyIsAllowedOnlyOnTheLoopbackAddress() {
        assertThat(Settings.load(Map.of(), true).access().adminKey()).isEqualTo("admin-key");
        assertThat(Settings.load(Map.of(), true).http().host()).isEqualTo("127.0.0.1");
        assertThatThrownBy(() -> Settings.load(Map.of("CS_HTTP_HOST", "0.0.0.0"), true))
                .hasMessageContaining("access.admin-key");
    }

    @Test
    void settingsDoNotShowSecretsAsAString() {
        Map<String, String> environment = new HashMap<>(LEAST);
        environment.put("CS_SECRETS_KEYSET", "{\"secret\":1}");
        Settings settings = Settings.load(environment, false);

        assertThat(settings.toString())
                .doesNotContain("sixteen-characters")
                .doesNotContain("secret\"")
                .doesNotContain(":p@");
    }
}
