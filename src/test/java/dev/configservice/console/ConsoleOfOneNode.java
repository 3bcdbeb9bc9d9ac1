package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import dev.configservice.testing.Tools;
import java.nio.file.Files;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** A node and a browser for all tests of a class. Each test has an environment of its own, and must leave no error in the page. */
abstract class ConsoleOfOneNode {
    static TestNode node;
    static Browser browser;

    Api admin = Api.anonymous(1);
    final String env = "env-" + UUID.randomUUID().toString().substring(0, 8);

    @BeforeAll
    static void start() {
        Tools.require(
                Files.exists(Browser.CHROMIUM) && Files.exists(Browser.DRIVER),
                "Chromium and its driver are not installed");
        node = TestNode.start(Map.of("CS_CONSOLE_PRODUCTION", "prod-*"));
        browser = new Browser("http://127.0.0.1:" + node.port());
    }

    @AfterAll
    static void stop() {
        if (browser != null) {
            browser.close();
            node.close();
        }
    }

    @BeforeEach
    void wide() {
        admin = node.admin();
        browser.look("light", 1280, 900);
    }

    @AfterEach
    void nothingWentWrongInThePage() {
        browser.assertQuiet();
    }

    JsonNode put(String path, String body) {
        Reply written = admin.put(path, body);
        assertThat(written.status()).as(written.text()).isIn(200, 201);
        return written.json();
    }

    JsonNode config(String environment, String key) {
        return admin.get("/config/" + key + "?environment=" + environment).json();
    }
}
