package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.configservice.testing.TestNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The flows of the console by keyboard alone: nothing is clicked, and the focus can always be seen. */
@Tag("browser")
class ConsoleKeyboardTest extends ConsoleOfOneNode {
    @Test
    void somebodySignsIn() {
        browser.open("#/overview", "");
        browser.tabTo("header button", "Sign in");
        browser.press(Keys.ENTER);
        browser.await("dialog input[type=password]");
        browser.press(TestNode.ADMIN_KEY, Keys.ENTER);
        browser.awaitNo("dialog");
        browser.await("header button", "admin");
    }

    @Test
    void aValueIsChangedAndUndone() {
        put("/config/k?environment=" + env, "{\"value\": \"old\"}");
        browser.open("#/overview?env=" + env, TestNode.ADMIN_KEY);
        browser.press("g", "c");
        browser.await("main.config td.key");
        // e on a row of the list opens it for editing
        browser.press("j", "e");
        browser.await("main h1", "k");
        browser.await("textarea[aria-label=Value]").sendKeys(" and new");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .review", "new");
        browser.press("a reason", Keys.ENTER);
        await().until(() -> config(env, "k").get("value").asText().equals("old and new"));
        browser.await(".toast button", "Undo");
        browser.tabTo(".toast button", "Undo");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "k").get("value").asText().equals("old"));
    }

    @Test
    void inProductionTheNameIsTyped() {
        String production = "prod-" + env;
        put("/config/k?environment=" + production, "{\"value\": 1}");
        browser.open("#/config?env=" + production, TestNode.ADMIN_KEY);
        browser.await("main.config td.key");
        browser.press("j", Keys.ENTER);
        browser.await("main h1", "k");
        browser.press("e");
        browser.await("textarea[aria-label=Value]").sendKeys("2");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog.production .review");
        browser.press("why");
        browser.tabTo("dialog input[autocomplete=off]", "");
        browser.press(production);
        browser.tabTo("dialog button.primary", "Apply");
        browser.press(Keys.ENTER);
        await().until(() -> config(production, "k").get("value").asInt() == 12);
    }

    @Test
    void environmentsAreComparedAndAValueIsBroughtOver() {
        put("/config/x?environment=" + env, "{\"value\": 1}");
        put("/config/x?environment=" + env + "-b", "{\"value\": 2}");
        put("/config/y?environment=" + env, "{\"value\": 3}");
        browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main.config td.key");
        browser.press("c");
        browser.await("main.compare h1");
        browser.tabTo("select[aria-label=Right]", "");
        browser.press(env + "-b");
        browser.await("main td.key", "y");
        browser.tabTo("input[aria-label='Choose y']", "");
        browser.press(Keys.SPACE);
        // the buttons stand above what was chosen
        browser.await("main .tools button", "Bring to " + env + "-b →");
        browser.tabTo("main .tools button", "Bring to " + env + "-b →");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "y");
        browser.press(Keys.ENTER);
        await().until(() -> config(env + "-b", "y").path("value").asInt() == 3);
        assertThat(config(env + "-b", "x").get("value").asInt()).isEqualTo(2);
    }

    @Test
    void aFlagIsRolledOutAndExplained() {
        put("/feature-flags/f?environment=" + env, "{\"is_enabled\": true, \"rollout_percentage\": 5}");
        browser.open("#/overview?env=" + env, TestNode.ADMIN_KEY);
        browser.press("g", "f");
        browser.await("main.flags td.key");
        browser.press("j", Keys.ENTER);
        browser.await("main h1", "f");
        browser.tabTo("main .stops button", "25 %");
        browser.press(Keys.SPACE);
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .note", "About 20 % more users get it; nobody loses it.");
        browser.press(Keys.ENTER);
        await().until(() -> admin.get("/feature-flags/f?environment=" + env)
                        .json()
                        .get("rollout_percentage")
                        .asInt()
                == 25);
        browser.tabTo("main a.button", "Why for user…");
        browser.press(Keys.ENTER);
        browser.await("main h1", "Try a flag");
        browser.tabTo("main.try input:not([placeholder])", "");
        browser.press("user-1");
        browser.tabTo("main button", "Evaluate");
        browser.press(Keys.ENTER);
        browser.await("h2", "Why f is");
    }

    @Test
    void anInstanceIsFoundAndDrained() {
        String service = "s-" + env;
        admin.post(
                "/registry/register",
                "{\"service_name\": \"" + service + "\", \"service_url\": \"http://a:1\", \"instance_id\": \"one\"}");
        browser.open("#/overview", TestNode.ADMIN_KEY);
        browser.press("/");
        browser.await(".palette input").sendKeys(service);
        browser.await(".palette li b", service);
        browser.press(Keys.ENTER);
        browser.await("main.registry h1", service);
        browser.await("main td.key", "one");
        browser.press("j", Keys.ENTER);
        browser.await("main .timeline", "registered");
        browser.tabTo("main button", "Drain");
        browser.press(Keys.ENTER);
        browser.await("dialog h2", "Drain one");
        browser.press("leaves today", Keys.ENTER);
        browser.await("main .head", "stopping");
    }

    @Test
    void theTapeIsOpenedOverAnyPage() {
        put("/config/t?environment=" + env, "{\"value\": 1}");
        browser.open("#/cluster", TestNode.ADMIN_KEY);
        browser.press("l");
        browser.await(".sheet li", "t");
        put("/config/live?environment=" + env, "{\"value\": 1}");
        browser.await(".sheet li", "live");
        browser.press(Keys.ESCAPE);
        browser.awaitNo(".sheet");
    }

    @Test
    void whoChangedAValueAndWhatElseTheyDid() {
        put("/config/w?environment=" + env, "{\"value\": 1}");
        put("/config/other?environment=" + env, "{\"value\": 1}");
        browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main td.key", "w");
        browser.press("j", "j", "h");
        browser.await("main h1", "w");
        browser.press("h");
        browser.tabTo("main .scroll.short a", "admin");
        browser.press(Keys.ENTER);
        browser.await("main.audit td", "other");
        assertThat(browser.hash()).contains("actor=admin", "since=", "until=");
    }

    @Test
    void aValueIsRolledBack() {
        put("/config/r?environment=" + env, "{\"value\": \"first\"}");
        put("/config/r?environment=" + env, "{\"value\": \"second\"}");
        String id = config(env, "r").get("id").asText();
        browser.open("#/config/" + id + "?env=" + env, TestNode.ADMIN_KEY);
        browser.press("h");
        browser.tabTo("main button", "Roll back to 1");
        browser.press(Keys.ENTER);
        assertThat(browser.await("dialog .review").getText()).contains("second", "first");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "r").get("value").asText().equals("first"));
    }

    @Test
    void changesAreUndone() {
        put("/config/u.1?environment=" + env, "{\"value\": \"before\"}");
        put("/config/u.1?environment=" + env, "{\"value\": \"after\"}");
        put("/config/u.2?environment=" + env, "{\"value\": 1}");
        browser.open("#/overview?env=" + env, TestNode.ADMIN_KEY);
        browser.press("g", "l");
        browser.await("main.changes td.key", "u.2");
        browser.tabTo("main tbody input[type=checkbox]", "");
        browser.press(Keys.SPACE, Keys.TAB);
        browser.tabTo("main tbody input[type=checkbox]", "");
        browser.press(Keys.SPACE);
        browser.tabTo("main button", "Undo these 2 changes");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "before");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "u.1").path("value").asText().equals("before"));
        assertThat(config(env, "u.2").path("status").asInt()).isEqualTo(404);
    }

    @Test
    void whatCanBeDoneWithAValueIsInTheMenuOfItsRow() {
        put("/config/m?environment=" + env, "{\"value\": 1}");
        browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main td.key", "m");
        browser.tabTo("main td button", "More for m");
        browser.press(Keys.ENTER);
        browser.await("dialog .menu-items");
        browser.picture("menu");
        browser.tabTo("dialog button", "Use it");
        browser.press(Keys.ENTER);
        browser.await("dialog h3", "curl");
        browser.press(Keys.ESCAPE);
        browser.awaitNo("dialog");
        browser.tabTo("main td button", "More for m");
        browser.press(Keys.ENTER);
        browser.tabTo("dialog button", "Delete");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "m");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "m").path("status").asInt() == 404);
    }

    @Test
    void aLayerIsChangedAsAText() {
        put("/config/db.pool?environment=" + env + "&service_name=shop", "{\"value\": 10}");
        put("/config/db.url?environment=" + env + "&service_name=shop", "{\"value\": \"here\"}");
        put(
                "/config/db.password?environment=" + env + "&service_name=shop",
                "{\"value\": \"geheim\", \"is_encrypted\": true}");
        browser.open("#/config?env=" + env + "&service=shop", TestNode.ADMIN_KEY);
        browser.await("main td.key", "db.url");
        browser.tabTo("main .head button", "As text");
        browser.press(Keys.ENTER);
        browser.await("dialog textarea");
        browser.tabTo("dialog input[type=radio]", "");
        browser.press(Keys.ARROW_RIGHT);
        browser.await("dialog p.quiet", "java.util.Properties");
        browser.tabTo("dialog textarea", "");
        assertThat(browser.await("dialog textarea").getAttribute("value")).isEqualTo("db.pool=10\ndb.url=here");
        browser.picture("text");
        browser.chord(Keys.CONTROL, "a");
        browser.press("db.pool=20\nnew.key=true");
        browser.chord(Keys.CONTROL, "s");
        assertThat(browser.await("dialog .review").getText()).contains("db.pool", "db.url", "new.key");
        browser.press(Keys.ENTER);
        String path = "?environment=" + env + "&service_name=shop";
        await().until(() ->
                admin.get("/config/db.pool" + path).json().get("value").asInt() == 20);
        assertThat(admin.get("/config/new.key" + path).json().get("value").textValue())
                .isEqualTo("true");
        assertThat(admin.get("/config/db.url" + path).status()).isEqualTo(404);
        assertThat(admin.get("/config/db.password" + path).status()).isEqualTo(200);
    }

    @Test
    void aTextThatIsRefusedIsNotLost() {
        put("/config/a?environment=" + env, "{\"value\": 1}");
        browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
        browser.await("main td.key", "a");
        browser.tabTo("main .head button", "As text");
        browser.press(Keys.ENTER);
        browser.type("dialog textarea", "a = 1\n(no key) = 2");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .failure");
        browser.press(Keys.ESCAPE);
        assertThat(browser.await("dialog textarea").getAttribute("value")).isEqualTo("a = 1\n(no key) = 2");
        browser.type("dialog textarea", "a = 2");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .review", "2");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "a").get("value").asInt() == 2);
        browser.awaitNo("dialog");
    }

    @Test
    void aServiceIsComparedWithTheSharedValues() {
        put("/config/x?environment=" + env + "&service_name=shop", "{\"value\": \"own\"}");
        put("/config/x?environment=" + env, "{\"value\": \"shared\"}");
        put("/config/y?environment=" + env + "&service_name=shop", "{\"value\": \"moves\"}");
        browser.open("#/compare?a=" + env + "&service=shop&with=(shared)", TestNode.ADMIN_KEY);
        browser.await("th", "shared in " + env);
        browser.await("main td.key", "x");
        browser.tabTo("input[aria-label='Choose y']", "");
        browser.press(Keys.SPACE);
        browser.tabTo("main .tools button", "Bring to shared in " + env + " →");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "moves");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "y").path("value").asText().equals("moves"));
        assertThat(config(env, "x").get("value").asText()).isEqualTo("shared");
    }

    @Test
    void aDeletedValueOfAServiceIsNotTakenForTheSharedOne() {
        String own = "/config/d?environment=" + env + "&service_name=shop";
        put("/config/d?environment=" + env, "{\"value\": \"shared\"}");
        put(own, "{\"value\": \"own\"}");
        String id = admin.get(own).field("id");
        browser.open("#/config/" + id + "?env=" + env, TestNode.ADMIN_KEY);
        browser.press("e");
        browser.type("textarea[aria-label=Value]", "mine");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .review", "mine");
        admin.delete(own);
        browser.press(Keys.ENTER);
        browser.await("dialog h2", "Someone deleted it");
        browser.tabTo("dialog button", "Create it with mine");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "mine");
        browser.press(Keys.ENTER);
        await().until(() -> admin.get(own).field("value").equals("mine"));
        assertThat(config(env, "d").get("value").asText()).isEqualTo("shared");
    }

    @Test
    void servicesAreComparedAndAValueIsBroughtOver() {
        put("/config/url?environment=" + env + "&service_name=shop", "{\"value\": \"a\"}");
        put("/config/url?environment=" + env + "&service_name=pay", "{\"value\": \"b\"}");
        browser.open("#/compare?a=" + env + "&service=shop&with=pay", TestNode.ADMIN_KEY);
        browser.await("th", "pay in " + env);
        browser.await("td", "differs");
        browser.picture("compare-services");
        browser.tabTo("input[aria-label='Choose url']", "");
        browser.press(Keys.SPACE);
        browser.tabTo("main .tools button", "Bring to pay in " + env + " →");
        browser.press(Keys.ENTER);
        browser.await("dialog .review", "pay / url");
        browser.press(Keys.ENTER);
        await().until(() -> admin.get("/config/url?environment=" + env + "&service_name=pay")
                .json()
                .get("value")
                .asText()
                .equals("a"));
        browser.await(".empty", "No differences");
    }
}
