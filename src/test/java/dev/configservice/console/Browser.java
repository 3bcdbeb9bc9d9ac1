package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A Chromium that shows the console. */
final class Browser implements AutoCloseable {
    static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    static final Path DRIVER = Path.of("/usr/bin/chromedriver");
    private static final Path PICTURES = Path.of("target", "console");

    private final String url;
    private final ChromeDriver driver;
    private String motion = "no-preference";

    Browser(String url) {
        this.url = url;
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, java.util.logging.Level.ALL);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(CHROMIUM.toFile());
        options.addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900");
        options.setCapability("goog:loggingPrefs", logs);
        this.driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(DRIVER.toFile())
                        .build(),
                options);
    }

    /** Opens a page with a key, which is kept for this tab; empty for nobody. */
    void open(String hash, String key) {
        driver.get(url + "/console/");
        driver.executeScript(
                "sessionStorage.clear(); if (arguments[0]) sessionStorage.setItem('key', arguments[0])", key);
        driver.get("about:blank");
        driver.get(url + "/console/" + hash);
        await("main h1");
    }

    void go(String hash) {
        driver.executeScript("location.hash = arguments[0]", hash);
    }

    String hash() {
        return String.valueOf(driver.executeScript("return location.hash"));
    }

    @Nullable
    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /** Runs a script that calls its last argument with the result. */
    @Nullable
    Object runAsync(String script) {
        driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(20));
        return driver.executeAsyncScript(script);
    }

    WebElement await(String css) {
        return until("an element " + css, () -> {
            List<WebElement> found = driver.findElements(By.cssSelector(css));
            return found.isEmpty() || !found.get(0).isDisplayed() ? null : found.get(0);
        });
    }

    /** Waits for an element whose text contains another. */
    WebElement await(String css, String text) {
        return until(css + " with '" + text + "', in: " + css, () -> {
            for (WebElement e : driver.findElements(By.cssSelector(css))) {
                if (e.isDisplayed() && e.getText().contains(text)) {
                    return e;
                }
            }
            return null;
        });
    }

    void awaitNo(String css) {
        until("no " + css, () -> driver.findElements(By.cssSelector(css)).isEmpty() ? true : null);
    }

    private <T> T until(String what, java.util.function.Supplier<T> condition) {
        return new WebDriverWait(driver, Duration.ofSeconds(12), Duration.ofMillis(40))
                .ignoring(WebDriverException.class)
                .withMessage(() -> what + "; the page shows: "
                        + driver.findElement(By.tagName("body")).getText())
                .until(d -> condition.get());
    }

    /** Clicks the element with a text. */
    void click(String css, String text) {
        until("to click " + text, () -> {
            for (WebElement e : driver.findElements(By.cssSelector(css))) {
                if (e.isDisplayed() && e.isEnabled() && e.getText().strip().equals(text)) {
                    e.click();
                    return true;
                }
            }
            return null;
        });
    }

    void type(String css, String text) {
        until("to type into " + css, () -> {
            WebElement input = await(css);
            input.clear();
            input.sendKeys(text);
            return true;
        });
    }

    /** Types a text, and leaves the input. */
    void enter(String css, String text) {
        type(css, text + org.openqa.selenium.Keys.TAB);
    }

    /** Drags an element to another. */
    void drag(String from, String to) {
        WebElement target = await(to);
        new Actions(driver).dragAndDrop(await(from), target).perform();
    }

    /** Holds a key down. */
    void hold(CharSequence key, int millis) {
        new Actions(driver)
                .keyDown(key)
                .pause(Duration.ofMillis(millis))
                .keyUp(key)
                .perform();
    }

    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    void chord(CharSequence key, CharSequence with) {
        new Actions(driver).keyDown(key).sendKeys(with).keyUp(key).perform();
    }

    /**
     * Presses Tab until the focus is on an element with a text or label, as people without a mouse do, and requires that the
     * focus can be seen there.
     */
    void tabTo(String css, String text) {
        until("to come by Tab to " + css + " with '" + text + "'", () -> {
            for (int i = 0; i < 100; i++) {
                Object at = driver.executeScript("""
                        const e = document.activeElement;
                        if (!e.matches(arguments[0]) || !((e.ariaLabel || "") + e.textContent).includes(arguments[1])) return null;
                        return e.matches(":focus-visible") && getComputedStyle(e).outlineStyle !== "none" ? "seen" : "unseen";
                        """, css, text);
                if (at != null) {
                    assertThat(at).as("the focus on " + css + " " + text).isEqualTo("seen");
                    return true;
                }
                press(org.openqa.selenium.Keys.TAB);
            }
            return null;
        });
    }

    void zoom(int percent, int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of(
                        "width",
                        width * 100 / percent,
                        "height",
                        height * 100 / percent,
                        "deviceScaleFactor",
                        percent / 100.0,
                        "mobile",
                        false));
    }

    /** Shows pages as for people who want less motion, or not. */
    void lessMotion(boolean isWanted) {
        motion = isWanted ? "reduce" : "no-preference";
    }

    void look(String scheme, int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(
                                Map.of("name", "prefers-color-scheme", "value", scheme),
                                Map.of("name", "prefers-reduced-motion", "value", motion))));
        driver.manage().window().setSize(new Dimension(width, height));
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    /** Keeps a picture of what is shown. */
    void picture(String name) {
        try {
            Files.createDirectories(PICTURES);
            Files.write(PICTURES.resolve(name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the findings of axe that are serious or worse, each with where it is. */
    List<String> barriers() {
        driver.executeScript(
                "if (!window.axe) { (0, eval)(arguments[0]) }",
                resource("/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js"));
        driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(30));
        Object found = driver.executeAsyncScript("""
                const done = arguments[arguments.length - 1];
                axe.run(document, { resultTypes: ["violations"] }).then(r => done(r.violations
                  .filter(v => ["serious", "critical"].includes(v.impact))
                  .map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(" | "))), e => done([String(e)]));
                """);
        List<String> all = new ArrayList<>();
        if (found instanceof List<?> list) {
            list.forEach(f -> all.add(String.valueOf(f)));
        }
        return all;
    }

    private static String resource(String name) {
        try (InputStream in = Browser.class.getResourceAsStream(name)) {
            return new String(java.util.Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fails if the page wrote an error: a violation of its policy, or a script that failed. */
    void assertQuiet() {
        List<String> errors = new ArrayList<>();
        driver.manage().logs().get(LogType.BROWSER).forEach(entry -> {
            boolean isAnswer = entry.getMessage().contains("Failed to load resource");
            if (entry.getLevel().intValue() >= java.util.logging.Level.SEVERE.intValue() && !isAnswer) {
                errors.add(entry.getMessage());
            }
        });
        assertThat(errors).isEmpty();
    }

    @Override
    public void close() {
        driver.quit();
    }
}
