package dev.configservice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.json.Json;
import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands that call a service, each in a process, as a script runs them. */
@Tag("servers")
class CommandLineTest {
    private final Api admin = TestNode.shared().admin();
    private final String env = "env-" + UUID.randomUUID();

    private record Ran(int exitCode, String out, String err) {
        JsonNode json() {
            return Json.read(out);
        }
    }

    private Ran run(String... arguments) throws IOException, InterruptedException {
        return run(Map.of(), "", arguments);
    }

    private static Ran run(Map<String, String> environment, String input, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.configservice.Main"));
        command.addAll(List.of(arguments));
        Path directory = TestServers.directory("command");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("CS_URL", TestNode.shared().anonymous().base().replace("/api/v1", ""));
        builder.environment().put("CS_API_KEY", TestNode.ADMIN_KEY);
        builder.environment().putAll(environment);
        Path in = Files.writeString(directory.resolve("in"), input);
        Process process = builder.redirectInput(in.toFile())
                .redirectOutput(directory.resolve("out").toFile())
                .redirectError(directory.resolve("err").toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Ran(
                process.exitValue(),
                Files.readString(directory.resolve("out"), StandardCharsets.UTF_8),
                Files.readString(directory.resolve("err"), StandardCharsets.UTF_8));
    }

    @Test
    void valuesAreSetReadListedComparedAndDeleted() throws Exception {
        Ran set = run("set", "db.pool", "10", "-e", env, "-s", "shop", "--comment", "more");
        assertThat(set.exitCode()).as(set.err()).isZero();
        assertThat(set.out()).startsWith("created db.pool, version 1");
        assertThat(run("set", "db.pool", "10", "-e", env, "-s", "shop").out()).contains("version 1");
        assertThat(run(Map.of(), "from a pipe\n", "set", "text", "-", "-e", env).exitCode())
                .isZero();
        assertThat(run("set", "number.text", "5", "--string", "-e", env, "-o", "json")
                        .json()
                        .get("value")
                        .isTextual())
                .isTrue();
        assertThat(run("set", "password", "geheim", "--encrypted", "-e", env).exitCode())
                .isZero();

        assertThat(run("get", "text", "-e", env).out()).isEqualTo("from a pipe\n");
        assertThat(run("get", "db.pool", "-e", env, "-s", "shop", "--explain").out())
                .startsWith("10\n")
                .contains("own layer");
        assertThat(run("get", "-e", env, "-s", "shop").out()).contains("KEY", "db.pool", "(shared)");
        Ran listed = run("list", "-e", env);
        assertThat(listed.out()).contains("ENVIRONMENT", "db.pool", "number.text");
        assertThat(run("list", "-e", env, "-o", "json").json()).hasSize(4);

        run("set", "text", "other", "-e", env + "-2");
        Ran diff = run("diff", env, env + "-2", "--exit-code");
        assertThat(diff.exitCode()).isEqualTo(9);
        assertThat(diff.out()).contains("- number.text", "~ text", "+ other");
        assertThat(run("--version").out()).startsWith("config-service");
        assertThat(run("delete", "text", "-e", env).out()).isEqualTo("deleted text\n");
        assertThat(run("list", "--deleted", "-e", env).out()).contains("from a pipe");
    }

    @Test
    void exitCodesTellWhatWentWrong() throws Exception {
        assertThat(run("get", "none", "-e", env).exitCode()).isEqualTo(4);
        assertThat(run(Map.of("CS_API_KEY", ""), "", "set", "a", "1", "-e", env).exitCode())
                .isEqualTo(5);
        Ran invalid = run("set", "not a key", "1", "-e", env);
        assertThat(invalid.exitCode()).isEqualTo(8);
        assertThat(invalid.err()).contains("key: must be", "request ");
        assertThat(run("set", "a", "1").exitCode()).isEqualTo(1);
        Ran unknown = run("sett", "a");
        assertThat(unknown.exitCode()).isEqualTo(1);
        assertThat(unknown.err()).contains("usage: config-service");
        Ran away = run(Map.of("CS_URL", "http://127.0.0.1:" + Ports.free()), "", "get", "a");
        assertThat(away.exitCode()).isEqualTo(7);
        assertThat(away.err()).contains("is unreachable", "CS_URL");
        Path file = Files.writeString(TestServers.directory("key").resolve("key"), TestNode.ADMIN_KEY + "\n");
        assertThat(run(Map.of("CS_API_KEY", "", "CS_API_KEY_FILE", file.toString()), "", "set", "a", "1", "-e", env)
                        .exitCode())
                .isZero();
    }

    @Test
    void aFolderInGitIsAppliedAndPruned() throws Exception {
        Path folder = TestServers.directory("git");
        Path place = Files.createDirectories(folder.resolve(env));
        Files.writeString(place.resolve("shop.yaml"), "server:\n  port: 8080\n  hosts: [a, b]\n");
        Files.writeString(place.resolve("application.properties"), "log.level=info\n");

        Ran dry = run("apply", "-f", folder.toString(), "--dry-run", "--exit-code", "--color", "always");
        assertThat(dry.exitCode()).as(dry.err()).isEqualTo(9);
        assertThat(dry.out()).contains("\u001B[32m+ " + env + "/shop/server.port = 8080", "3 changes would be made");
        assertThat(run("list", "-e", env, "-o", "json").json()).isEmpty();

        Ran applied = run("apply", "-f", folder.toString());
        assertThat(applied.exitCode()).as(applied.err()).isZero();
        assertThat(applied.out()).contains("3 changes made");
        assertThat(run("apply", "-f", folder.toString()).out()).contains("no changes");

        run("set", "extra", "1", "-e", env, "-s", "shop");
        Files.writeString(place.resolve("shop.yaml"), "server:\n  port: 9090\n");
        Ran pruned = run("apply", "-f", folder.toString(), "--prune");
        assertThat(pruned.out())
                .contains(
                        "- " + env + "/shop/extra",
                        "- " + env + "/shop/server.hosts",
                        "~ " + env + "/shop/server.port");
        assertThat(run("list", "-e", env, "-o", "json").json()).hasSize(2);
    }

    @Test
    void nothingIsAppliedIfOneOfTheFilesIsWrong() throws Exception {
        Path folder = TestServers.directory("wrong");
        Path place = Files.createDirectories(folder.resolve(env));
        Files.writeString(place.resolve("a.json"), "{\"ok\": 1}");
        Files.writeString(place.resolve("b.json"), "{\"not a key!\": 1}");
        Ran refused = run("apply", "-f", folder.toString());
        assertThat(refused.exitCode()).isEqualTo(8);
        assertThat(refused.err()).contains("b.json", "nothing was applied");
        assertThat(run("list", "-e", env, "-o", "json").json()).isEmpty();

        Files.delete(place.resolve("b.json"));
        Files.writeString(place.resolve("a.yaml"), "other: 2\n");
        Ran clash = run("apply", "-f", folder.toString());
        assertThat(clash.exitCode()).isEqualTo(1);
        assertThat(clash.err()).contains("the same layer");
        assertThat(run("apply", "--help").out()).contains("--prune");
        Ran denied = run(Map.of("CS_API_KEY", "wrong"), "", "set", "a", "1", "-e", env);
        assertThat(denied.exitCode()).isEqualTo(5);
        assertThat(denied.err()).contains("request ");
    }

    @Test
    void anExportIsAppliedToAnotherEnvironment() throws Exception {
        run("set", "a", "1", "-e", env);
        run("flags", "-e", env, "new", "--on", "--rollout", "25");
        Path file = TestServers.directory("export").resolve("export.yaml");

        assertThat(run("export", "-e", env, "--file", file.toString()).exitCode())
                .isZero();
        Ran applied = run("apply", "-f", file.toString(), "-e", env + "-copy");

        assertThat(applied.exitCode()).as(applied.err()).isZero();
        assertThat(run("get", "a", "-e", env + "-copy").out()).isEqualTo("1\n");
        assertThat(run("flags", "-e", env + "-copy").out()).contains("new", "on", "25 %");
    }

    @Test
    void moreChangesThanASetHoldsAreAppliedInParts() throws Exception {
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 1001; i++) {
            many.append("key.").append(i).append('=').append(i).append('\n');
        }
        Path file = TestServers.directory("many").resolve("many.properties");
        Files.writeString(file, many);

        Ran applied = run("apply", "-f", file.toString(), "-e", env, "-s", "big");

        assertThat(applied.exitCode()).as(applied.err()).isZero();
        assertThat(applied.err()).contains("3 parts");
        assertThat(applied.out()).contains("1001 changes made");
    }

    @Test
    void flagsAreEvaluatedAndExplained() throws Exception {
        Ran on = run("flags", "-e", env, "checkout", "--on");
        assertThat(on.out()).startsWith("checkout is on, version 1");
        Ran evaluated =
                run("evaluate", "checkout", "-e", env, "-u", "u1", "--context", "{\"plan\": \"free\"}", "--explain");
        assertThat(evaluated.exitCode()).as(evaluated.err()).isZero();
        assertThat(evaluated.out()).startsWith("true\n").contains("DEFAULT");
        assertThat(run("evaluate", "checkout", "-e", env, "--context", "5").exitCode())
                .isEqualTo(1);
    }

    @Test
    void servicesChangesAuditAndKeysAreShown() throws Exception {
        String service = "svc-" + env;
        admin.post(
                "/registry/register",
                "{\"service_name\": \"%s\", \"service_url\": \"http://host-1:80\"}".formatted(service));
        assertThat(run("services").out()).contains("SERVICE", service);
        assertThat(run("services", service).out()).contains("http://host-1:80", "healthy");

        long before =
                admin.put("/config/first?environment=" + env, "{\"value\": 1}").revision();
        admin.put("/config/second?environment=" + env, "{\"value\": 2}");
        Ran watched = run("watch", "-e", env, "--after", Long.toString(before - 1), "--count", "2");
        assertThat(watched.out()).contains("configuration.created", "first = 1", "second = 2");
        Ran audit = run("audit", "-e", env, "--key", "first");
        assertThat(audit.out()).contains("configuration.created", "first", "admin");

        Ran key = run("keys", "create", env, "--right", "config:write", "-e", env);
        assertThat(key.exitCode()).as(key.err()).isZero();
        assertThat(key.out()).startsWith("cs_");
        assertThat(run(Map.of("CS_API_KEY", key.out().strip()), "", "set", "mine", "1", "-e", env)
                        .exitCode())
                .isZero();
        Ran keys = run("keys", "list", "-o", "json");
        String id = "";
        for (JsonNode k : keys.json()) {
            id = k.get("name").asText().equals(env) ? k.get("id").asText() : id;
        }
        assertThat(run("keys", "rotate", id).out()).startsWith("cs_");
        assertThat(run("keys", "delete", id).exitCode()).isZero();
        assertThat(run("verify", "--from", Long.toString(before)).out()).startsWith("verified: revisions " + before);
    }

    @Test
    void exportsOfOtherSystemsAreAppliedAndWhatIsNotHeldIsNamed() throws Exception {
        Path consul = Files.writeString(TestServers.directory("consul").resolve("kv.json"), """
                [{"key": "app/db/host", "flags": 0, "value": "ZGI="},
                 {"key": "app/bad key", "flags": 0, "value": "eA=="},
                 {"key": "app/flagged", "flags": 5, "value": "eA=="},
                 {"key": "other/x", "flags": 0, "value": "eA=="}]""");
        Ran applied = run(
                "apply", "-f", consul.toString(), "--from", "consul", "--key-prefix", "app/", "-e", env, "-s", "app");
        assertThat(applied.exitCode()).as(applied.err()).isZero();
        assertThat(applied.err()).contains("app/bad key: left out", "app/flagged: its flags");
        assertThat(run("get", "db.host", "-e", env, "-s", "app").out()).isEqualTo("db\n");

        Path spring = TestServers.directory("spring");
        Files.writeString(spring.resolve("application.yml"), "a: 1\n");
        Files.writeString(spring.resolve("orders.properties"), "b=2\n");
        Files.writeString(spring.resolve("orders-prod" + env + ".yml"), "b: 3\n");
        Ran fromSpring = run("apply", "-f", spring.toString(), "--from", "spring", "-e", env);
        assertThat(fromSpring.exitCode()).as(fromSpring.err()).isZero();
        assertThat(run("get", "b", "-e", env, "-s", "orders").out()).isEqualTo("2\n");
        assertThat(run("get", "a", "-e", env, "-s", "orders").out()).isEqualTo("1\n");

        Path flagd = Files.writeString(TestServers.directory("flagd").resolve("flags.json"), """
                {"flags": {
                  "color": {"state": "ENABLED", "variants": {"red": "#f00", "blue": "#00f"}, "defaultVariant": "red",
                    "targeting": {"if": [{"in": [{"var": "email"}, ["a@x.org"]]}, "blue"]}},
                  "hard": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
                    "targeting": {"some": [{"var": "x"}, {"==": [1, 1]}]}}}}""");
        Ran fromFlagd = run("apply", "-f", flagd.toString(), "--from", "flagd", "-e", env);
        assertThat(fromFlagd.exitCode()).as(fromFlagd.err()).isZero();
        assertThat(fromFlagd.err()).contains("hard: switched off");
        assertThat(run("evaluate", "color", "-e", env, "-u", "u", "--context", "{\"email\": \"a@x.org\"}")
                        .out())
                .isEqualTo("#00f\n");
        assertThat(run("evaluate", "color", "-e", env, "-u", "u").out()).isEqualTo("#f00\n");

        Path unleash = Files.writeString(TestServers.directory("unleash").resolve("export.json"), """
                {"features": [{"name": "beta", "description": "for some"}, {"name": "share"}, {"name": "odd"}],
                 "featureEnvironments": [
                   {"featureName": "beta", "enabled": true}, {"featureName": "share", "enabled": true},
                   {"featureName": "odd", "enabled": true}],
                 "featureStrategies": [
                   {"featureName": "beta", "name": "default", "parameters": {}, "constraints": [
                     {"contextName": "plan", "operator": "IN", "values": ["gold"]}]},
                   {"featureName": "share", "name": "flexibleRollout", "constraints": [],
                     "parameters": {"rollout": "30", "stickiness": "default"}},
                   {"featureName": "odd", "name": "remoteAddress", "constraints": [], "parameters": {}}]}""");
        Ran fromUnleash = run("apply", "-f", unleash.toString(), "--from", "unleash", "-e", env);
        assertThat(fromUnleash.exitCode()).as(fromUnleash.err()).isZero();
        assertThat(fromUnleash.err()).contains("odd: strategy remoteAddress: left out", "share: the share is kept");
        assertThat(run("evaluate", "beta", "-e", env, "-u", "u", "--context", "{\"plan\": \"gold\"}")
                        .out())
                .isEqualTo("true\n");
        assertThat(run("evaluate", "beta", "-e", env, "-u", "u").out()).isEqualTo("false\n");
        assertThat(run("evaluate", "odd", "-e", env, "-u", "u").out()).isEqualTo("false\n");
    }

    @Test
    void completionIsPrintedForShells() throws Exception {
        Ran completion = run("generate-completion");

        assertThat(completion.exitCode()).as(completion.err()).isZero();
        assertThat(completion.out()).contains("evaluate", "--environment", "bash", "zsh");
    }
}
