package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.TestNode;
import dev.configservice.testing.Tools;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients that are generated from the served description: they compile, and ten calls with each do what they say. */
@Tag("clients")
class GeneratedClientsTest {
    private static final Path PROJECTS = Path.of("src", "test", "clients").toAbsolutePath();
    private static final Path WORK = Path.of("target", "clients").toAbsolutePath();

    private final TestNode node = TestNode.shared();
    private final String env = "env-" + UUID.randomUUID();
    private final String url = "http://127.0.0.1:" + node.port();

    private Path description() throws IOException {
        Path file = Files.createDirectories(WORK).resolve("openapi.json");
        try (InputStream in = URI.create(url + "/openapi.json").toURL().openStream()) {
            return Files.write(file, in.readAllBytes());
        }
    }

    private static String run(Path directory, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("generated", ".log");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        String text = Files.readString(output);
        assertThat(process.exitValue()).as(text).isZero();
        return text;
    }

    private List<String> maven(String flavor, String generator, String library, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "mvn",
                "-B",
                "-q",
                "-f",
                PROJECTS.resolve("generated-java/pom.xml").toString(),
                "-Dspec=" + description(),
                "-Dflavor=" + flavor,
                "-Dgenerator=" + generator,
                "-Dlibrary=" + library));
        command.addAll(List.of(more));
        return command;
    }

    @ParameterizedTest
    @CsvSource({"native,native", "okhttp,okhttp-gson"})
    void aClientInJavaCompilesAndWorks(String flavor, String library) throws Exception {
        List<String> command = maven(
                flavor,
                "java",
                library,
                "clean",
                "compile",
                "exec:java",
                "-Dexec.args=" + url + " " + TestNode.ADMIN_KEY + " " + env);

        assertThat(run(PROJECTS, command.toArray(String[]::new))).contains("all calls done");
    }

    @Test
    void aClientInTypeScriptCompilesAndWorks() throws Exception {
        boolean hasNpm = Stream.of(System.getenv("PATH").split(":", -1))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "npm")));
        Tools.require(hasNpm, "npm is not installed");
        run(
                PROJECTS,
                maven("ts", "typescript-fetch", "", "clean", "generate-sources").toArray(String[]::new));
        Path work = WORK.resolve("generated-ts");
        for (String file : List.of("main.ts", "package.json", "tsconfig.json")) {
            Files.copy(PROJECTS.resolve("generated-ts").resolve(file), work.resolve(file));
        }
        run(work, "npm", "install", "--no-audit", "--no-fund");
        run(work, "npx", "tsc", "-p", ".");

        assertThat(run(work, "node", "out/main.js", url, TestNode.ADMIN_KEY, env))
                .contains("all calls done");
    }

    @Test
    @Tag("python")
    void aClientInPythonCompilesAndWorks() throws Exception {
        Process packages = new ProcessBuilder(
                        "/usr/bin/env",
                        "python3",
                        "-c",
                        "import pydantic, dateutil, urllib3, typing_extensions; assert pydantic.VERSION >= '2'")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Tools.require(
                packages.waitFor(1, TimeUnit.MINUTES) && packages.exitValue() == 0,
                "python3 with pydantic 2, python-dateutil, urllib3 and typing-extensions is not installed");
        run(PROJECTS, maven("python", "python", "", "clean", "generate-sources").toArray(String[]::new));
        Path work = WORK.resolve("generated-python/generated");
        Files.copy(PROJECTS.resolve("generated-python/main.py"), work.resolve("main.py"));
        run(work, "python3", "-m", "compileall", "-q", "openapi_client");

        assertThat(run(work, "python3", "main.py", url, TestNode.ADMIN_KEY, env))
                .contains("all calls done");
    }
}
