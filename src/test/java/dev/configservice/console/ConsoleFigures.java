package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.configservice.testing.Api;
import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The figures of the console with much in it, measured in the browser: the time to the first paint, to the first rows, and the
 * longest task while it is scrolled. Printed, not asserted. Run by {@code load-tests/console}.
 */
@Tag("console-figures")
class ConsoleFigures {
    private static final int KEYS = Integer.getInteger("console.keys", 10_000);
    private static final int FLAGS = Integer.getInteger("console.flags", 2_000);
    private static final int INSTANCES = Integer.getInteger("console.instances", 5_000);
    private static final int ROUNDS = 5;

    @Test
    void paintsAndTasks() {
        try (TestNode node = TestNode.start(Map.of());
                Browser browser = new Browser("http://127.0.0.1:" + node.port())) {
            fill(node.admin());
            browser.open("#/overview", TestNode.ADMIN_KEY);
            System.out.printf("%-34s %12s %12s %18s%n", "page", "first paint", "first rows", "longest task, ms");
            for (Map.Entry<String, String> page : List.of(
                    Map.entry(KEYS + " keys", "#/config?env=big"),
                    Map.entry(KEYS + " keys as a service sees them", "#/config?env=big&service=shop&view=seen"),
                    Map.entry(FLAGS + " flags", "#/flags"),
                    Map.entry(INSTANCES + " instances", "#/registry/many"))) {
                List<Double> paints = new ArrayList<>();
                List<Double> rows = new ArrayList<>();
                double longest = 0;
                for (int i = 0; i < ROUNDS; i++) {
                    browser.open(page.getValue(), TestNode.ADMIN_KEY);
                    browser.await("main tbody tr:not(.space)");
                    Object figures = browser.runAsync("""
                            const done = arguments[arguments.length - 1];
                            const paint = performance.getEntriesByName("first-contentful-paint")[0];
                            const first = performance.now();
                            const tasks = [];
                            const settle = () => new Promise(r => setTimeout(r, 1500));
                            settle().then(async () => {
                              new PerformanceObserver(l => l.getEntries().forEach(e => tasks.push(e.duration))).observe({ type: "longtask" });
                              const box = document.querySelector("main .scroll");
                              for (let y = 0; y < Math.min(box.scrollHeight, 60000); y += 700) {
                                box.scrollTop = y;
                                await new Promise(r => requestAnimationFrame(r));
                              }
                              await new Promise(r => setTimeout(r, 200));
                              done([paint ? paint.startTime : 0, first, Math.max(0, ...tasks)]);
                            });
                            """);
                    assertThat(figures).isInstanceOf(List.class);
                    List<?> all = (List<?>) figures;
                    paints.add(((Number) all.get(0)).doubleValue());
                    rows.add(((Number) all.get(1)).doubleValue());
                    longest = Math.max(longest, ((Number) all.get(2)).doubleValue());
                }
                paints.sort(null);
                rows.sort(null);
                System.out.printf(
                        "%-34s %9.0f ms %9.0f ms %18s%n",
                        page.getKey(),
                        paints.get(ROUNDS / 2),
                        rows.get(ROUNDS / 2),
                        longest == 0 ? "under 50" : String.format("%.0f", longest));
            }
        }
    }

    private static void fill(Api admin) {
        StringBuilder operations = new StringBuilder();
        int count = 0;
        for (int i = 0; i < KEYS + FLAGS; i++) {
            boolean isFlag = i >= KEYS;
            operations.append(count++ == 0 ? "" : ",");
            operations.append(
                    isFlag
                            ? "{\"op\":\"put\",\"resource_type\":\"feature_flag\",\"environment\":\"big\",\"name\":\"flag-"
                                    + i + "\",\"is_enabled\":true,\"rollout_percentage\":" + i % 100 + "}"
                            : "{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"big\",\"key\":\"group"
                                    + i % 50 + ".key." + i + "\",\"value\":\"value " + i + "\"}");
            if (count == 500 || i == KEYS + FLAGS - 1) {
                Reply done = admin.post("/change-sets", "{\"operations\":[" + operations + "]}");
                assertThat(done.status()).as(done.text()).isEqualTo(200);
                operations.setLength(0);
                count = 0;
            }
        }
        for (int i = 0; i < INSTANCES; i++) {
            Reply done = admin.post(
                    "/registry/register",
                    "{\"service_name\":\"many\",\"instance_id\":\"i-" + i + "\",\"service_url\":\"http://10.0."
                            + i / 250 + "." + i % 250 + ":80\",\"lease_seconds\":3600}");
            assertThat(done.status()).isEqualTo(200);
        }
    }
}
