package dev.configservice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Every snippet of the guide and of the README, run unchanged except for the address and the key. */
class GuideTest {
    private static final Pattern SNIPPET = Pattern.compile("```(bash|python|java)\\n(.*?)```", Pattern.DOTALL);

    @Test
    void theSnippetsOfTheGuideRun() throws Exception {
        assertThat(run(Path.of("src/docs/guide.md"))).isGreaterThanOrEqualTo(8);
    }

    @Test
    void theFirstCallsOfTheReadmeRun() throws Exception {
        assertThat(run(Path.of("README.md"))).isEqualTo(1);
    }

    private static int run(Path document) throws IOException, InterruptedException {
        int snippets = 0;
        try (TestNode node = TestNode.start(Map.of())) {
            Matcher m = SNIPPET.matcher(Files.readString(document));
            while (m.find()) {
                String code = m.group(2)
                        .replace("http://127.0.0.1:8082", node.anonymous().base())
                        .replace("admin-key", TestNode.ADMIN_KEY);
                run(m.group(1), code);
                snippets++;
            }
        }
        return snippets;
    }

    private static void run(String language, String code) throws IOException, InterruptedException {
        Path directory = TestServers.directory("snippet");
        Path file = directory.resolve(
                switch (language) {
                    case "java" -> "Main.java";
                    case "python" -> "snippet.py";
                    default -> "snippet.sh";
                });
        Files.writeString(file, code);
        List<String> command =
                switch (language) {
                    case "java" ->
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                file.toString());
                    case "python" -> List.of("python3", file.toString());
                    default -> List.of("bash", "-e", file.toString());
                };
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as(code + "\n" + Files.readString(output))
                .isZero();
    }
}
