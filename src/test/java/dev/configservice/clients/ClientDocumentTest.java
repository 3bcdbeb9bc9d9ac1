package dev.configservice.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Tools;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The programs of the document about clients, as they stand there but for the address of the service. */
@Tag("clients")
class ClientDocumentTest {
    private static final Pattern PROGRAM =
            Pattern.compile("```(bash|java|ts|yaml)\\n(?:(?://|#) (\\S+\\.\\w+)\\n)?(.*?)```", Pattern.DOTALL);
    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    private static final String EXPECTED = "new page in blue";

    /** A program or a command of the document. The name is empty for commands. */
    private record Block(String name, String text) {}

    private static List<Block> blocks(TestNode node) throws IOException {
        List<Block> blocks = new ArrayList<>();
        Matcher m = PROGRAM.matcher(Files.readString(Path.of("src/docs/clients.md")));
        while (m.find()) {
            String text = m.group(3)
                    .replace("http://127.0.0.1:8082", node.anonymous().base())
                    .replace("admin-key", TestNode.ADMIN_KEY);
            blocks.add(new Block(m.group(2) == null ? "" : m.group(2), text));
        }
        return blocks;
    }

    /** Runs the commands, and returns the files with a name, in order. */
    private static List<String> prepare(TestNode node, String name) throws IOException {
        List<Block> blocks = blocks(node);
        for (Block block : blocks) {
            if (block.name().isEmpty()) {
                ClientProgram.run(Path.of("."), List.of("bash", "-e", "-c", block.text()));
            }
        }
        List<String> files = blocks.stream()
                .filter(b -> b.name().equals(name))
                .map(Block::text)
                .toList();
        assertThat(files).as(name).isNotEmpty();
        return files;
    }

    private static String runJava(Path project, Path directory) {
        String libraries = project.resolve("lib") + "/*";
        ClientProgram.run(
                directory,
                List.of(
                        ClientProgram.javaProgram() + "c",
                        "-parameters",
                        "-Werror",
                        "-cp",
                        libraries,
                        "-d",
                        ".",
                        "Shop.java"));
        return ClientProgram.run(
                directory, List.of(ClientProgram.javaProgram(), "-cp", directory + ":" + libraries, "shop.Shop"));
    }

    @Test
    void openFeatureInJava() throws IOException {
        try (TestNode node = TestNode.start(Map.of())) {
            Path directory = TestServers.directory("openfeature-java").toAbsolutePath();
            Files.writeString(
                    directory.resolve("Shop.java"), prepare(node, "Shop.java").get(0));
            assertThat(runJava(ClientProgram.maven("openfeature-java"), directory))
                    .contains(EXPECTED);
        }
    }

    @Test
    void springBoot() throws IOException {
        try (TestNode node = TestNode.start(Map.of())) {
            Path directory = TestServers.directory("spring").toAbsolutePath();
            Files.writeString(
                    directory.resolve("Shop.java"), prepare(node, "Shop.java").get(1));
            Files.writeString(
                    directory.resolve("application.yml"),
                    blocks(node).stream()
                                    .filter(b -> b.name().equals("application.yml"))
                                    .findFirst()
                                    .orElseThrow()
                                    .text()
                            // the test's libraries hold the bus as well
                            + "  cloud.bus.enabled: false\n");
            assertThat(runJava(ClientProgram.maven("spring"), directory))
                    .contains("connects to postgresql://db.example:5432/app, sells in [EUR, USD]");
        }
    }

    @Test
    void openFeatureInAServer() throws IOException {
        try (TestNode node = TestNode.start(Map.of())) {
            Path project = ClientProgram.npm("openfeature-js");
            Files.writeString(
                    project.resolve("shop.ts"), prepare(node, "shop.ts").get(0));
            ClientProgram.run(
                    project,
                    List.of(
                            "npx",
                            "tsc",
                            "--strict",
                            "--target",
                            "es2022",
                            "--module",
                            "nodenext",
                            "--skipLibCheck",
                            "shop.ts"));
            assertThat(ClientProgram.run(project, List.of("node", "shop.js"))).isEqualTo(EXPECTED + "\n");
        }
    }

    @Test
    @Tag("browser")
    void openFeatureInABrowser() throws IOException {
        Tools.require(Files.exists(CHROMIUM), "Chromium is needed: apt-get install chromium");
        int port = Ports.free();
        try (TestNode node = TestNode.start(Map.of("CS_HTTP_CORS_ORIGINS", "http://127.0.0.1:" + port))) {
            Path project = ClientProgram.npm("openfeature-js");
            Files.writeString(
                    project.resolve("page.ts"), prepare(node, "page.ts").get(0));
            ClientProgram.run(
                    project,
                    List.of(
                            "npx",
                            "tsc",
                            "--strict",
                            "--noEmit",
                            "--target",
                            "es2022",
                            "--module",
                            "nodenext",
                            "--skipLibCheck",
                            "page.ts"));
            ClientProgram.run(
                    project, List.of("npx", "esbuild", "page.ts", "--bundle", "--format=esm", "--outfile=page.js"));
            List<String> seen = new CopyOnWriteArrayList<>();
            HttpServer site = site(port, Files.readString(project.resolve("page.js")), seen);
            Process browser = new ProcessBuilder(
                            CHROMIUM.toString(),
                            "--headless",
                            "--no-sandbox",
                            "--disable-gpu",
                            "--user-data-dir="
                                    + TestServers.directory("chromium").toAbsolutePath(),
                            "http://127.0.0.1:" + port + "/")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                awaitText(seen, EXPECTED);
                String flag = node.admin()
                        .get("/feature-flags?environment=staging&name=new_ui")
                        .json()
                        .at("/items/0/id")
                        .asText();
                assertThat(node.admin()
                                .put("/feature-flags/" + flag, "{\"is_enabled\":false}")
                                .status())
                        .isEqualTo(200);
                awaitText(seen, EXPECTED.replace("new", "old"));
            } finally {
                browser.descendants().forEach(ProcessHandle::destroyForcibly);
                browser.destroyForcibly();
                site.stop(0);
            }
        }
    }

    private static void awaitText(List<String> seen, String text) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(seen.get(seen.size() - 1)).isEqualTo(text));
    }

    /** Serves a page with a script, and notes what the page shows whenever that changes. */
    private static HttpServer site(int port, String script, List<String> seen) throws IOException {
        seen.add("");
        String page =
                "<!doctype html><meta charset=utf-8><body><script>new MutationObserver(() => fetch('/seen', {method:"
                        + " 'POST', body: document.body.textContent})).observe(document.body, {childList: true});</script>"
                        + "<script type=module src=/page.js></script></body>";
        HttpServer site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        site.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            if (path.equals("/seen")) {
                seen.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            }
            boolean isScript = path.equals("/page.js");
            byte[] body = (isScript ? script : path.equals("/") ? page : "").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", isScript ? "text/javascript" : "text/html");
            exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        site.start();
        return site;
    }
}
