package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Api;
import dev.configservice.testing.Ports;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TcpProxy;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.TestPostgres;
import dev.configservice.testing.TestServers;
import dev.configservice.testing.Tools;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The console when something is in its way: a cut network, a key that ends, a node that leaves, a proxy. */
@Tag("browser")
class ConsoleStatesTest {
    private static final String HOST = "http://127.0.0.1:";

    private final String env = "env-" + UUID.randomUUID().toString().substring(0, 8);

    @BeforeEach
    void needsABrowser() {
        Tools.require(
                Files.exists(Browser.CHROMIUM) && Files.exists(Browser.DRIVER),
                "Chromium and its driver are not installed");
    }

    private void put(TestNode node, String key, String value) {
        Reply written = node.admin().put("/config/" + key + "?environment=" + env, "{\"value\": " + value + "}");
        assertThat(written.status()).as(written.text()).isIn(200, 201);
    }

    @Test
    void aStreamThatBreaksOffGoesOnWhereItEnded() {
        TestNode node = TestNode.shared();
        try (TcpProxy proxy = new TcpProxy(node.port());
                Browser browser = new Browser(HOST + proxy.port())) {
            browser.open("#/changes", TestNode.ADMIN_KEY);
            browser.await("button.stream-live");
            proxy.refuse(true);
            proxy.cutAll();
            browser.await(".banner", "broke off");
            put(node, "missed", "1");
            proxy.refuse(false);
            browser.await("button.stream-live");
            browser.await("td.key", "missed");
        }
    }

    @Test
    void aKeyThatEndsAsksForAnother() {
        TestNode node = TestNode.shared();
        put(node, "a", "1");
        Reply key = node.admin().post("/access/keys", "{\"name\": \"ends-" + env + "\", \"rights\": [\"read\"]}");
        try (Browser browser = new Browser(HOST + node.port())) {
            browser.open("#/config?env=" + env, key.field("key"));
            browser.await("td.key", "a");
            assertThat(node.admin().delete("/access/keys/" + key.field("id")).status())
                    .isEqualTo(204);
            browser.go("#/flags?env=" + env);
            browser.await(".banner", "no longer accepted");
            browser.await("main .failure", "Sign in with a key");
            browser.click(".banner button", "Sign in again");
            browser.type("dialog input[type=password]", TestNode.ADMIN_KEY);
            browser.click("dialog button", "Sign in");
            browser.await("main.flags .empty", "No flags");
            browser.awaitNo(".banner");
            browser.await("button.stream-live");
            browser.assertQuiet();
        }
    }

    @Test
    void aWriteWithoutPostgresIsTriedAgainAndTheFormKeepsItsText() {
        try (TestPostgres postgres = new TestPostgres();
                TcpProxy proxy = new TcpProxy(postgres.port());
                TestNode node = TestNode.start(
                        Map.of("CS_POSTGRES_URI", "postgresql://postgres@127.0.0.1:" + proxy.port() + "/postgres"));
                Browser browser = new Browser(HOST + node.port())) {
            put(node, "a", "\"before\"");
            String id = node.admin().get("/config/a?environment=" + env).field("id");
            browser.open("#/config/" + id + "?env=" + env, TestNode.ADMIN_KEY);
            browser.click("button", "Edit");
            browser.type("textarea[aria-label=Value]", "while it was away");
            browser.click("button", "Review");
            browser.await("dialog .review", "while it was away");
            proxy.refuse(true);
            proxy.cutAll();
            browser.click("dialog button", "Apply");
            browser.await("dialog .note[role=status]");
            assertThat(browser.run("return sessionStorage.getItem('draft/' + arguments[0])", id))
                    .asString()
                    .contains("while it was away");
            proxy.refuse(false);
            browser.await(".toast", "revision");
            await().until(() -> node.admin().get("/config/" + id).field("value").equals("while it was away"));
            browser.assertQuiet();
        }
    }

    @Test
    void aNodeThatLeavesIsNotMissed() {
        TestNode first = TestNode.start(Map.of());
        TestNode second = first.join();
        try (TcpProxy balancer = new TcpProxy(second.port());
                Browser browser = new Browser(HOST + balancer.port())) {
            put(first, "a", "1");
            browser.open("#/cluster", TestNode.ADMIN_KEY);
            await().until(() -> Long.valueOf(2)
                    .equals(browser.run(
                            "return document.querySelector('main table').querySelectorAll('tbody tr').length")));
            browser.go("#/config?env=" + env);
            browser.await("td.key", "a");
            balancer.lead(first.port());
            second.close();
            put(first, "b", "2");
            browser.await("td.key", "b");
            browser.await("button.stream-live");
            browser.go("#/cluster");
            browser.await("main table");
            await().until(() -> Long.valueOf(1)
                    .equals(browser.run(
                            "return document.querySelector('main table').querySelectorAll('tbody tr').length")));
            browser.assertQuiet();
        } finally {
            first.close();
        }
    }

    @Test
    void itWorksBelowAPathOfAProxy() throws Exception {
        Path nginx = Path.of("/usr/sbin/nginx");
        Tools.require(Files.isExecutable(nginx), "nginx must be installed");
        String path = "/config-service";
        Path directory = TestServers.directory("prefix").toAbsolutePath();
        int port = Ports.free();
        try (TestNode node = TestNode.start(Map.of("CS_HTTP_PUBLIC_PATH", path))) {
            String document = Files.readString(Path.of("src/docs/console.md"));
            int from = document.indexOf("location " + path);
            String shown = document.substring(from, document.indexOf("```", from))
                    .replace("10.0.0.1:8082", "127.0.0.1:" + node.port());
            Path file = Files.writeString(directory.resolve("nginx.conf"), """
                    daemon off; user root; pid %1$s/pid; error_log %1$s/error.log; events {}
                    http { access_log off; client_body_temp_path %1$s/b; proxy_temp_path %1$s/p; fastcgi_temp_path %1$s/f;
                    uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s; server { listen 127.0.0.1:%2$d; %3$s } }
                    """.formatted(directory, port, shown));
            Process proxy = new ProcessBuilder(nginx.toString(), "-c", file.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
            try (Browser browser = new Browser(HOST + port + path)) {
                await().atMost(Duration.ofSeconds(20)).until(() -> status(HOST + port + path + "/ready") == 200);
                for (String page : new String[] {"/", "/console", "/docs"}) {
                    assertThat(location(HOST + port + path + page)).as(page).startsWith(path + "/");
                }
                put(node, "a", "1");
                browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
                browser.await("td.key", "a");
                browser.await("button.stream-live");
                Api.anonymous(node.port())
                        .key(TestNode.ADMIN_KEY)
                        .put("/config/live?environment=" + env, "{\"value\": 1}");
                browser.await("td.key", "live");
                for (String page :
                        new String[] {"overview", "flags", "registry", "changes", "audit", "keys", "cluster"}) {
                    browser.go("#/" + page);
                    browser.await("main." + page + " h1");
                    browser.awaitNo("main .failure");
                }
                browser.assertQuiet();
            } finally {
                proxy.descendants().forEach(ProcessHandle::destroy);
                proxy.destroy();
            }
        }
    }

    private static HttpURLConnection open(String url) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(url).toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        return connection;
    }

    private static int status(String url) {
        try {
            return open(url).getResponseCode();
        } catch (IOException e) {
            return 0;
        }
    }

    private static String location(String url) throws IOException {
        return open(url).getHeaderField("Location");
    }
}
