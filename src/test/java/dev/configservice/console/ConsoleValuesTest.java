package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.Reply;
import dev.configservice.testing.TestNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The console shows what is stored and writes what is shown: digits, descriptions, what is wrong beside its field. */
@Tag("browser")
class ConsoleValuesTest extends ConsoleOfOneNode {
    private static final String BIG = "12345678901234567890";

    private String text(String environment, String key) {
        return admin.get("/config/" + key + "?environment=" + environment).text();
    }

    private void apply() {
        browser.await("dialog .review");
        browser.click("dialog button", "Apply");
        browser.awaitNo("dialog");
    }

    @Test
    void numbersKeepTheirDigitsHoweverTheyAreWritten() {
        put("/config/big?environment=" + env, "{\"value\": " + BIG + ", \"description\": \"first\"}");
        put("/config/form?environment=" + env, "{\"value\": {\"rate\": 1.0, \"list\": [0.10, 0.30000000000000001]}}");

        // changed in its form: the digits that were read are those that are written
        browser.open("#/config/" + config(env, "big").get("id").asText() + "?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main .panel code.value", BIG);
        browser.await("main .panel .chip", "number");
        browser.press("e");
        browser.type("textarea[aria-label=Value]", BIG + "1");
        browser.click("button[data-review]", "Review");
        browser.await("dialog .review", BIG + "1");
        apply();
        await().until(() -> text(env, "big").contains("\"value\":" + BIG + "1,"));

        // brought to another environment
        browser.go("#/compare?a=" + env + "&b=" + env + "-b");
        browser.await("td", BIG + "1");
        browser.await("input[aria-label='Choose all']").click();
        browser.click("button", "Bring to " + env + "-b →");
        apply();
        await().until(() -> text(env + "-b", "big").contains("\"value\":" + BIG + "1,"));
        assertThat(text(env + "-b", "form")).contains("{\"rate\":1.0,\"list\":[0.10,0.30000000000000001]}");
        browser.await(".empty", "No differences");

        // as a text, in which only another key changes
        put("/config/other?environment=" + env, "{\"value\": 1}");
        browser.go("#/config?env=" + env);
        browser.await("td.key", "other");
        browser.click("button", "As text");
        browser.click("dialog label", "YAML");
        browser.await("dialog p.quiet", "A key in a line");
        browser.run(
                "const t = document.querySelector('textarea.document'); t.value = t.value.replace('other: 1', 'other: 2.50');"
                        + " t.dispatchEvent(new Event('input'))");
        browser.click("dialog button", "Review");
        browser.await("dialog .review", "2.50");
        assertThat(browser.await("dialog .review").getText()).doesNotContain("rate", BIG);
        browser.click("dialog button", "Apply");
        await().until(() -> text(env, "other").contains("\"value\":2.50,"));

        // undone: the description comes back, too
        put("/config/big?environment=" + env, "{\"value\": 1, \"description\": \"second\"}");
        browser.go("#/changes?env=" + env + "&prefix=big");
        browser.await("td.key", "big");
        browser.run("document.querySelectorAll('main tbody input[type=checkbox]')[0].click()");
        browser.click("button", "Undo this change");
        browser.await("dialog .review", "first");
        apply();
        await().until(() -> text(env, "big").contains("\"value\":" + BIG + "1,"));
        assertThat(text(env, "big")).contains("\"description\":\"first\"");
    }

    @Test
    void aChangeIsShownWithItsDiffAndTheChangesOfOneKeyAlone() {
        put("/config/a.url?environment=" + env, "{\"value\": \"http://one\"}");
        put("/config/b?environment=" + env, "{\"value\": 1}");
        put("/config/a.url?environment=" + env, "{\"value\": \"http://two\"}");
        put("/feature-flags/a.flag?environment=" + env, "{\"is_enabled\": true}");
        browser.open("#/changes?env=" + env + "&prefix=a.url", TestNode.ADMIN_KEY);
        browser.await("td.key", "a.url");
        assertThat(browser.await("main table").getText()).doesNotContain("a.flag");
        browser.click("button", "Diff");
        browser.await("dialog del", "one");
        browser.await("dialog ins", "two");
        assertThat(browser.await("dialog .review").getText()).doesNotContain("null");
        browser.picture("change");
        browser.click("dialog a", "All its changes");
        browser.await("main .tools button", "Only one resource");
        // what comes later is filtered in the same way
        put("/config/b?environment=" + env, "{\"value\": 2}");
        put("/config/a.url?environment=" + env, "{\"value\": \"http://three\"}");
        // the pointer rests on the table, so what is new waits
        browser.click("button", "1 new");
        browser.await("td", "http://three");
        assertThat(browser.run(
                        "return [...document.querySelectorAll('main td.key')].every(d => d.textContent === 'a.url')"))
                .isEqualTo(true);
    }

    @Test
    void threeServicesAreCompared() {
        for (String service : new String[] {"one", "two", "three"}) {
            put("/config/url?environment=" + env + "&service_name=" + service, "{\"value\": \"of-" + service + "\"}");
            put("/config/same?environment=" + env + "&service_name=" + service, "{\"value\": 1}");
        }
        browser.open("#/compare?a=" + env + "&service=one&with=two", TestNode.ADMIN_KEY);
        browser.await("th", "two in " + env);
        browser.click("button", "Add a service");
        browser.await("th", "three in " + env);
        browser.await("td", "of-three");
        assertThat(browser.await("table.compare").getText()).doesNotContain("same");
        browser.picture("compare-three-services");
        browser.await("input[aria-label='Choose url']").click();
        browser.click("button", "Bring to three in " + env + " →");
        browser.await("dialog .review", "of-one");
        apply();
        await().until(() -> admin.get("/config/url?environment=" + env + "&service_name=three")
                .field("value")
                .equals("of-one"));
    }

    @Test
    void whatIsWrongStandsBesideItsField() {
        String schema = "{\"key_pattern\": \"" + env + ".port\", \"environment\": \"" + env
                + "\", \"enforce\": \"reject\", \"schema\": {\"type\": \"integer\"}}";
        Reply stored = admin.put("/schemas/" + env, schema);
        assertThat(stored.status()).as(stored.text()).isEqualTo(201);
        put("/config/" + env + ".port?environment=" + env, "{\"value\": 1}");
        String id = config(env, env + ".port").get("id").asText();
        browser.open("#/config/" + id + "?env=" + env, TestNode.ADMIN_KEY);
        browser.press("e");
        browser.type("textarea[aria-label=Value]", "1.5");
        browser.click("button[data-review]", "Review");
        browser.await("dialog .review", "1.5");
        browser.click("dialog button", "Apply");
        browser.awaitNo("dialog");
        browser.await("form.panel .field .wrong", "integer");
        browser.picture("wrong-beside-field");

        put("/feature-flags/" + env + "?environment=" + env, "{\"is_enabled\": true}");
        browser.go("#/flags/" + flagId() + "?env=" + env);
        browser.click(".rung summary", "Change");
        browser.click("button", "Add a prerequisite");
        browser.enter("input[aria-label='Flag']", env);
        browser.click("button", "Review");
        browser.await("dialog .review", env);
        browser.click("dialog button", "Apply");
        browser.awaitNo("dialog");
        browser.await(".rung .wrong", "its own prerequisite");
        browser.click("button", "Discard");
    }

    private String flagId() {
        return admin.get("/feature-flags/" + env + "?environment=" + env).field("id");
    }

    @Test
    void anInstanceThatWentAndCameHasAGapAndVariantsHaveABar() {
        String register =
                "{\"service_name\": \"" + env + "\", \"instance_id\": \"i\", \"service_url\": \"http://127.0.0.1:1\"}";
        admin.post("/registry/register", register);
        admin.delete("/registry/" + env + "/instances/i");
        admin.post("/registry/register", register);
        browser.open("#/registry/" + env + "/i", TestNode.ADMIN_KEY);
        browser.await(".timeline .gap", "away for");
        admin.delete("/registry/" + env + "/instances/i");
        browser.await(".timeline .gap", "gone for");

        put(
                "/feature-flags/v?environment=" + env,
                "{\"is_enabled\": true, \"salt\": \"cohort\", \"variants\": ["
                        + "{\"name\": \"red\", \"value\": 1, \"weight\": 3}, {\"name\": \"blue\", \"value\": 2, \"weight\": 1}]}");
        browser.go("#/flags?env=" + env);
        browser.await("td .variant-bar", "red");
        assertThat(browser.await("td .variant-bar svg").getAttribute("aria-label"))
                .isEqualTo("red 75 %, blue 25 %");
        browser.picture("variants");
        // the ruler of a flag with a salt uses it
        browser.go("#/try?flag=v&env=" + env + "&user=u-1");
        browser.await("main p code", "cohort");
    }

    @Test
    void anEnvironmentIsShownAsItWasWithAllItsKeys() {
        for (int i = 0; i < 6; i++) {
            StringBuilder operations = new StringBuilder();
            for (int k = 0; k < 100; k++) {
                operations
                        .append(k == 0 ? "" : ",")
                        .append("{\"op\":\"put\",\"resource_type\":\"configuration\",\"environment\":\"")
                        .append(env)
                        .append("\",\"key\":\"k")
                        .append(i * 100 + k)
                        .append("\",\"value\":1}");
            }
            assertThat(admin.post("/change-sets", "{\"operations\":[" + operations + "]}")
                            .status())
                    .isEqualTo(200);
        }
        long revision = config(env, "k599").get("revision").asLong();
        admin.delete("/config/k0?environment=" + env);
        browser.open("#/at/" + revision + "?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main p.quiet", "600 keys");
        browser.await("td.key", "k0");
    }
}
