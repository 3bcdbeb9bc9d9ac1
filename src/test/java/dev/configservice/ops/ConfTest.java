package dev.configservice.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.settings.Settings;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The files in conf, in which every name must exist. */
class ConfTest {
    private static final Pattern MEASURE = Pattern.compile("\\b(config_service_[a-z_]+)\\b");

    @Test
    void theProductionExampleIsValid() {
        Settings settings = Settings.load(
                Map.of(
                        "CS_CONFIG_FILE", "conf/production.yaml",
                        "CS_POSTGRES_URI", "postgresql://u:p@db:5432/config",
                        "CS_ACCESS_ADMIN_KEY", "sixteen-characters"),
                false);
        assertThat(settings.cluster().members()).hasSize(3);
        assertThat(settings.access().anonymousReads()).isFalse();
    }

    @Test
    void everyLauncherReadsTheJvmOptionsFromOneFile() throws Exception {
        String option = "-XX:+ExitOnOutOfMemoryError";
        assertThat(Files.readString(Path.of("conf/jvm.options"))).contains("\n" + option + "\n");
        String pom = Files.readString(Path.of("pom.xml"));
        assertThat(pom)
                .contains("<jvm.options>${project.basedir}/conf/jvm.options</jvm.options>")
                .contains("<argument>@${jvm.options}</argument>")
                .contains("<jvmFlag>@/app/jvm.options</jvmFlag>")
                .contains("<argLine>@${jvm.options} ");
        assertThat(Files.readString(Path.of("load-tests/servers.sh"))).contains("flags=\"@conf/jvm.options ");
        assertThat(Files.readString(Path.of("load-tests/pom.xml")))
                .contains("<jvmArg>@${project.basedir}/../conf/jvm.options</jvmArg>");
        assertThat(Files.readString(Path.of("README.md")))
                .contains("java @conf/jvm.options -jar target/config-service.jar");
        // no other file repeats an option
        for (String file : List.of("pom.xml", "load-tests/pom.xml", "load-tests/servers.sh", "README.md", ".ci/run")) {
            assertThat(Files.readString(Path.of(file))).as(file).doesNotContain("common.parallelism");
        }
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@conf/jvm.options",
                        "-Xmx16m",
                        "-cp",
                        "target/test-classes",
                        "dev.configservice.testing.OutOfMemory")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as("the exit code of a JVM that ran out of memory")
                .isEqualTo(3);
    }

    @Test
    void everyAlertHasACaseInWhichItFiresAndOneInWhichItDoesNot() throws IOException {
        JsonNode rules = new YAMLMapper().readTree(Files.readString(Path.of("conf/prometheus-rules.yaml")));
        JsonNode cases = new YAMLMapper().readTree(Files.readString(Path.of("src/test/prometheus/rules-test.yaml")));
        TreeSet<String> fires = new TreeSet<>();
        TreeSet<String> keepsQuiet = new TreeSet<>();
        cases.findValues("alert_rule_test")
                .forEach(all -> all.forEach(one -> (one.path("exp_alerts").isEmpty() ? keepsQuiet : fires)
                        .add(one.get("alertname").asText())));
        TreeSet<String> alerts = new TreeSet<>(rules.findValuesAsText("alert"));
        assertThat(alerts).isNotEmpty().isEqualTo(fires).isEqualTo(keepsQuiet);
        rules.findValuesAsText("expr")
                .forEach(
                        expr -> assertThat(expr).as("grouped by cluster").containsPattern("by \\(cluster, job|absent"));
    }

    @Test
    void everyMetricInTheRulesAndTheDashboardExists() throws IOException {
        TreeSet<String> named = new TreeSet<>();
        for (String file : new String[] {"prometheus-rules.yaml", "grafana-dashboard.json"}) {
            JsonNode tree = new YAMLMapper().readTree(Files.readString(Path.of("conf", file)));
            tree.findValuesAsText("expr").forEach(expr -> {
                Matcher m = MEASURE.matcher(expr);
                while (m.find()) {
                    named.add(m.group(1));
                }
            });
        }
        assertThat(named).hasSizeGreaterThan(15);
        try (TestNode node = TestNode.start(Map.of(
                "CS_KAFKA_BOOTSTRAP_SERVERS",
                TestServers.get().kafkaBootstrapServers(),
                "CS_KAFKA_TOPIC",
                "conf-test"))) {
            assertThat(node.admin()
                            .post("/config", "{\"key\":\"k\",\"value\":1,\"environment\":\"e\"}")
                            .status())
                    .isEqualTo(201);
            await().untilAsserted(() -> {
                TreeSet<String> there = new TreeSet<>();
                Matcher m = MEASURE.matcher(node.anonymous().get("/metrics").text());
                while (m.find()) {
                    there.add(m.group(1));
                }
                assertThat(there).containsAll(named);
            });
        }
    }

    /** A terminal that shows the log must not act on what a caller sent. */
    @Test
    void theTextLogHoldsNoEscapes() throws Exception {
        LoggerContext context = new LoggerContext();
        String xml = Files.readString(Path.of("conf", "logback.xml"));
        Matcher pattern = Pattern.compile("<pattern>(.*?)</pattern>").matcher(xml);
        assertThat(pattern.find()).isTrue();
        PatternLayout layout = new PatternLayout();
        layout.setContext(context);
        layout.setPattern(pattern.group(1).replace("&amp;", "&"));
        layout.start();
        String evil = "a\u001b[31mred\r\n2026-01-01 ERROR forged\u0085\u2028\u0007end";
        String line = layout.doLayout(new LoggingEvent(
                "x", context.getLogger("test"), Level.INFO, "path={}", new IllegalStateException(evil), new Object[] {
                    evil
                }));
        assertThat(line).contains("IllegalStateException", "path=a?[31mred");
        assertThat(line.lines().filter(l -> l.startsWith("2026-01-01"))).isEmpty();
        assertThat(line.chars().filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t'))
                .isEmpty();
    }
}
