package dev.configservice.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.flag.eval.Bucket;
import dev.configservice.testing.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The console in a real browser: its pages, its flows, and what it does when something is wrong. */
@Tag("browser")
class ConsoleTest extends ConsoleOfOneNode {
    private void fill(String environment) {
        put(
                "/config/db.url?environment=" + environment,
                "{\"value\": \"postgresql://db/app\", \"description\": \"where\"}");
        put("/config/db.pool?environment=" + environment + "&service_name=shop", "{\"value\": 10}");
        put("/config/limits?environment=" + environment, "{\"value\": {\"a\": [1, 2]}}");
        put("/config/secret?environment=" + environment, "{\"value\": \"geheim\", \"is_encrypted\": true}");
        put(
                "/feature-flags/new-ui?environment=" + environment,
                "{\"is_enabled\": true, \"rollout_percentage\": 25, \"variants\": [{\"name\": \"a\", \"value\": 1, \"weight\": 1}]}");
        admin.post(
                "/registry/register",
                "{\"service_name\": \"shop\", \"service_url\": \"http://a:1\", \"instance_id\": \"one\"}");
        put("/templates/web", "{\"configurations\": [{\"key\": \"a\", \"value\": 1}]}");
        put("/schemas/ports", "{\"key_pattern\": \"*.port\", \"schema\": {\"type\": \"integer\"}}");
    }

    @Test
    void everyPageIsShownWithoutErrorsAndBarriersWideAndNarrowLightAndDark() {
        fill(env);
        String id = config(env, "db.url").get("id").asText();
        String flag = admin.get("/feature-flags/new-ui?environment=" + env)
                .json()
                .get("id")
                .asText();
        Map<String, String> pages = Map.ofEntries(
                Map.entry("overview", "#/overview"),
                Map.entry("config", "#/config?env=" + env),
                Map.entry("seen", "#/config?env=" + env + "&service=shop&view=seen"),
                Map.entry("detail", "#/config/" + id + "?env=" + env),
                Map.entry("compare", "#/compare?a=" + env + "&at=1"),
                Map.entry("flags", "#/flags?env=" + env),
                Map.entry("flag", "#/flags/" + flag + "?env=" + env),
                Map.entry("try", "#/try?user=u&env=" + env),
                Map.entry("registry", "#/registry"),
                Map.entry("instances", "#/registry/shop"),
                Map.entry("life", "#/registry/shop/one"),
                Map.entry("changes", "#/changes"),
                Map.entry("audit", "#/audit"),
                Map.entry("keys", "#/keys"),
                Map.entry("templates", "#/templates"),
                Map.entry("template", "#/templates/web"),
                Map.entry("schemas", "#/schemas/ports"),
                Map.entry("cluster", "#/cluster"));
        List<String> barriers = new ArrayList<>();
        browser.open("#/overview", TestNode.ADMIN_KEY);
        // at twice the size, and on a screen of 3840 pixels
        for (int percent : List.of(200, 100)) {
            browser.zoom(percent, percent == 200 ? 1280 : 3840, percent == 200 ? 900 : 2160);
            pages.forEach((name, hash) -> {
                browser.go("#/nowhere");
                browser.go(hash);
                browser.await("main." + hash.replaceAll("#/([a-z]+).*", "$1") + " h1");
                browser.awaitNo("main .skeleton");
                browser.picture(name + (percent == 200 ? "-zoomed" : "-4k"));
                assertThat(browser.run("return document.documentElement.scrollWidth <= innerWidth + 1"))
                        .as(name + " scrolls sideways at " + percent + " %")
                        .isEqualTo(true);
            });
        }
        pages.forEach((name, hash) -> {
            for (String scheme : List.of("light", "dark")) {
                browser.look(scheme, scheme.equals("light") ? 1280 : 360, 900);
                browser.go("#/nowhere");
                browser.go(hash);
                browser.await("main." + hash.replaceAll("#/([a-z]+).*", "$1") + " h1");
                browser.awaitNo("main .skeleton");
                browser.picture(name + "-" + scheme);
                browser.barriers().forEach(b -> barriers.add(name + " " + scheme + " " + b));
                assertThat(browser.run("return document.documentElement.scrollWidth <= innerWidth + 1"))
                        .as(name + " scrolls sideways at " + scheme)
                        .isEqualTo(true);
            }
        });
        assertThat(barriers).isEmpty();
    }

    @Test
    void aValueIsChangedWithReviewConfirmationAndUndo() {
        String production = "prod-" + env;
        put("/config/db.pool?environment=" + production + "&service_name=shop", "{\"value\": 10}");
        String id = admin.get("/config/db.pool?environment=" + production + "&service_name=shop")
                .json()
                .get("id")
                .asText();
        browser.open("#/config/" + id + "?env=" + production, TestNode.ADMIN_KEY);

        browser.click("button", "Edit");
        browser.type("textarea[aria-label=Value]", "20");
        browser.chord(Keys.CONTROL, "s");
        assertThat(browser.await("dialog.production .review").getText()).contains("10", "20");
        assertThat(browser.await("dialog button.primary").isEnabled())
                .as("not confirmed yet")
                .isFalse();
        browser.type("dialog input[maxlength]", "more load");
        browser.type("dialog input[autocomplete=off]", production);
        browser.click("dialog button", "Apply");
        browser.await(".toast", "seen on 1 of 1 node");

        JsonNode now = admin.get("/config/" + id).json();
        assertThat(now.get("value").asInt()).isEqualTo(20);
        assertThat(admin.get("/config/" + id + "/history")
                        .json()
                        .at("/items/0/comment")
                        .asText())
                .isEqualTo("more load");
        browser.click(".toast button", "Undo");
        await().until(() -> admin.get("/config/" + id).json().get("value").asInt() == 10);
        browser.await("td", "rolled back");
    }

    @Test
    void whoeverIsFasterIsShownBesideMine() {
        put("/config/a?environment=" + env, "{\"value\": \"one\"}");
        String id = config(env, "a").get("id").asText();
        browser.open("#/config/" + id + "?env=" + env, TestNode.ADMIN_KEY);
        browser.click("button", "Edit");
        browser.type("textarea[aria-label=Value]", "mine");
        put("/config/a?environment=" + env, "{\"value\": \"theirs\"}");
        browser.click("button", "Review");
        browser.click("dialog button", "Apply");

        assertThat(browser.await("dialog .three").getText()).contains("theirs", "mine");
        browser.click("dialog button", "Apply mine on top");
        browser.await("dialog .review", "mine");
        browser.click("dialog button", "Apply");
        await().until(() -> config(env, "a").get("value").asText().equals("mine"));
    }

    @Test
    void valuesAreBroughtToAnotherEnvironmentAndUndoneAsOne() {
        put("/config/x.1?environment=" + env, "{\"value\": 1}");
        put("/config/x.2?environment=" + env, "{\"value\": 2}");
        put("/config/x.1?environment=" + env + "-b", "{\"value\": 9}");
        browser.open("#/compare?a=" + env + "&b=" + env + "-b", TestNode.ADMIN_KEY);
        browser.await("td", "x.2");
        browser.await("th input[type=checkbox]").click();
        browser.click("button", "Bring to " + env + "-b →");
        browser.await("dialog .review", "x.2");
        browser.click("dialog button", "Apply");
        await().until(() -> config(env + "-b", "x.2").path("value").asInt() == 2);
        assertThat(config(env + "-b", "x.1").get("value").asInt()).isEqualTo(1);
        browser.await(".empty", "No differences");
        browser.click(".toast button", "Undo");
        browser.await("dialog h2", "Undo");
        browser.click("dialog button", "Apply");
        await().until(() -> config(env + "-b", "x.1").get("value").asInt() == 9);
    }

    @Test
    void aFlagIsRolledOutStepByStepAndExplained() {
        put("/feature-flags/f?environment=" + env, "{\"is_enabled\": true, \"rollout_percentage\": 5}");
        browser.open("#/flags?env=" + env, TestNode.ADMIN_KEY);
        browser.click("td.key a", "f");
        browser.click(".stops button", "25 %");
        browser.click("button", "Review");
        browser.await("dialog .note", "About 20 % more users get it; nobody loses it.");
        browser.click("dialog button", "Apply");
        await().until(() -> admin.get("/feature-flags/f?environment=" + env)
                        .json()
                        .get("rollout_percentage")
                        .asInt()
                == 25);
        browser.click(".stops button", "1 %");
        browser.click("button", "Review");
        browser.await("dialog .note", "of the users lose it");
        browser.press(Keys.ESCAPE);
        browser.click("button", "Discard");
        browser.click("a", "Why for user…");
        browser.await("main h1", "Try a flag");
        browser.type("main.try input:not([placeholder])", "user-1");
        browser.click("button", "Evaluate");
        browser.await("h2", "Why f is");
        boolean isOn = admin.post(
                        "/feature-flags/evaluate",
                        "{\"flag_name\": \"f\", \"environment\": \"" + env + "\", \"user_id\": \"user-1\"}")
                .json()
                .get("enabled")
                .asBoolean();
        browser.await("h2", "Why f is " + (isOn ? "on" : "off") + " in " + env);
    }

    @Test
    void rulesPrerequisitesAndVariantsAreEditedWithoutJson() {
        put("/feature-flags/base?environment=" + env, "{\"is_enabled\": true}");
        put(
                "/feature-flags/g?environment=" + env,
                "{\"is_enabled\": true, \"rules\": [{\"constraints\": [{\"attribute\": \"plan\", \"operator\": \"eq\", \"values\": [\"gold\"]}], \"rollout_percentage\": 50}]}");
        browser.open("#/flags?env=" + env, TestNode.ADMIN_KEY);
        browser.click("td.key a", "g");
        browser.await(".ladder details");
        browser.run("document.querySelectorAll('.ladder details').forEach(d => d.open = true)");
        browser.click("button", "Add a prerequisite");
        browser.enter("input[aria-label=Flag]", "base");
        browser.click("button", "Add a variant");
        browser.click("button", "Add a rule");
        browser.enter(".rule:nth-of-type(2) input[aria-label=Attribute]", "age");
        browser.run(
                "const s = document.querySelectorAll('.rule select[aria-label=Operator]')[1]; s.value = 'gte'; s.dispatchEvent(new Event('change'))");
        browser.enter(".rule:nth-of-type(2) input[aria-label=Values]", "18");
        browser.run("document.querySelectorAll('button[aria-label=\"Move up\"]')[1].click()");
        browser.picture("rules");
        browser.click("button", "Review");
        browser.await("dialog .affected", "Not evaluated in the last day.");
        browser.click("dialog button", "Apply");
        browser.await(".toast", "revision");
        await().until(() -> flag("g").get("rules").size() == 2);

        assertThat(flag("g").at("/rules/0").toString())
                .contains("\"attribute\":\"age\"", "\"operator\":\"gte\"", "\"values\":[18]");
        assertThat(flag("g").at("/rules/1/constraints/0/values").toString()).isEqualTo("[\"gold\"]");
        assertThat(flag("g").get("prerequisites").toString()).contains("base");
        assertThat(flag("g").at("/variants/0/value").asText()).isEqualTo("v1");

        browser.await("main .rule:nth-of-type(2) .grip");
        browser.drag(".rule:nth-of-type(2) .grip", ".rule:nth-of-type(1) legend");
        browser.click("button", "Review");
        browser.await("dialog .review", "age");
        browser.click("dialog button", "Apply");
        await().until(() -> flag("g").at("/rules/0").toString().contains("\"plan\""));
    }

    private JsonNode flag(String name) {
        return admin.get("/feature-flags/" + name + "?environment=" + env).json();
    }

    @Test
    void threeEnvironmentsAreComparedAndAValueIsBroughtFromTheThird() {
        put("/config/y?environment=" + env, "{\"value\": 1}");
        put("/config/y?environment=" + env + "-b", "{\"value\": 1}");
        put("/config/y?environment=" + env + "-c", "{\"value\": 3}");
        put("/config/z?environment=" + env + "-c", "{\"value\": \"only there\"}");
        put("/config/same?environment=" + env, "{\"value\": 0}");
        put("/config/same?environment=" + env + "-b", "{\"value\": 0}");
        put("/config/same?environment=" + env + "-c", "{\"value\": 0}");
        browser.open("#/compare?a=" + env + "&b=" + env + "-b," + env + "-c", TestNode.ADMIN_KEY);
        browser.await("td", "only there");
        assertThat(browser.await("table.compare").getText()).doesNotContain("same");
        browser.picture("compare-three");
        browser.await("input[aria-label='Choose z']").click();
        browser.click("button", "← Bring to " + env + " from " + env + "-c");
        browser.await("dialog .review", "only there");
        browser.click("dialog button", "Apply");
        await().until(() -> config(env, "z").path("value").asText().equals("only there"));
        assertThat(config(env, "y").get("value").asInt()).isEqualTo(1);
    }

    @Test
    void inProductionEnterIsHeldForASecondAndEverybodyConcernedIsNamed() {
        String production = "prod-" + env;
        put("/config/shared?environment=" + production, "{\"value\": \"old\"}");
        put("/config/shared?environment=" + production + "&service_name=own-" + env, "{\"value\": \"mine\"}");
        put("/config/other?environment=" + production + "&service_name=reads-" + env, "{\"value\": 1}");
        String id = config(production, "shared").get("id").asText();
        browser.open("#/config/" + id + "?env=" + production, TestNode.ADMIN_KEY);
        browser.click("button", "Edit");
        browser.type("textarea[aria-label=Value]", "new");
        browser.click("button", "Review");
        assertThat(browser.await("dialog .affected").getText())
                .contains("Shared: concerns", "reads-" + env, "Not own-" + env);
        browser.await("dialog .affected:last-of-type", "stream");
        browser.await("dialog input[autocomplete=off]").click();
        browser.hold(Keys.ENTER, 200);
        assertThat(config(production, "shared").get("value").asText()).isEqualTo("old");
        assertThat(browser.await("dialog button.primary").isEnabled()).isFalse();
        browser.hold(Keys.ENTER, 1300);
        await().until(() -> config(production, "shared").get("value").asText().equals("new"));
    }

    @Test
    void keysTellWhatTheyMayDoAndAdminsSeeTheSettings() {
        put("/config/a?environment=" + env, "{\"value\": 1}");
        admin.post(
                "/access/keys",
                "{\"name\": \"k-" + env + "\", \"rights\": [\"read\", \"flags:write\"], \"environments\": [\"" + env
                        + "\"]}");
        browser.open("#/keys", TestNode.ADMIN_KEY);
        browser.await("td.key", "k-" + env);
        browser.run(
                "[...document.querySelectorAll('tr')].find(r => r.textContent.includes(arguments[0])).querySelector('button').click()",
                "k-" + env);
        browser.await("dialog .matrix", env);
        Object ticks = browser.run(
                "return [...document.querySelectorAll('.matrix tbody tr')].filter(r => r.querySelector('.yes')).map(r => r.cells[0].textContent + ' ' + r.querySelectorAll('.yes').length)");
        assertThat(ticks).isEqualTo(List.of(env + " 2"));
        browser.press(Keys.ESCAPE);

        String id = config(env, "a").get("id").asText();
        browser.go("#/config/" + id + "?env=" + env);
        browser.await("main h1", "a");
        browser.go("#/cluster");
        browser.await("main summary", "settings").click();
        browser.await("td", "cache.near-entries");
        assertThat(browser.await("main").getText()).doesNotContain(TestNode.ADMIN_KEY);
        browser.chord(Keys.CONTROL, "k");
        browser.await(".palette li", "visited");
        browser.press(Keys.ENTER);
        browser.await("main h1", "a");
    }

    @Test
    void whoMayNotIsToldWhyAndSecretsAreShownOnlyOnDemand() {
        fill(env);
        browser.open("#/config?env=" + env, "");
        assertThat(browser.await("main .head button.primary").isEnabled()).isFalse();
        assertThat(browser.await("main .head button.primary").getAttribute("title"))
                .contains("config:write");
        browser.go("#/audit");
        browser.await("main .note", "audit:read");
        browser.click("main button", "Sign in");
        browser.type("dialog input[type=password]", "wrong");
        browser.click("dialog button", "Sign in");
        browser.await("dialog .failure");
        browser.type("dialog input[type=password]", TestNode.ADMIN_KEY);
        browser.click("dialog button", "Sign in");
        browser.await("main.audit td", "created");
        assertThat(browser.run("return sessionStorage.getItem('key')"))
                .as("kept only by choice")
                .isNull();

        browser.go("#/config?env=" + env);
        browser.await("td", "db.url");
        assertThat(browser.await("main").getText()).doesNotContain("geheim");
        // the answer to the write that gave the value showed it, too
        int before = reads();
        browser.click("td button", "Show");
        browser.await("td", "geheim");
        await().until(() -> reads() == before + 1);
    }

    private int reads() {
        return admin.get("/audit?resource_type=secret_read&environment=" + env)
                .json()
                .get("items")
                .size();
    }

    @Test
    void aRangeOfChangesIsUndoneAsOne() {
        put("/config/r.1?environment=" + env, "{\"value\": \"before\"}");
        put("/config/r.1?environment=" + env, "{\"value\": \"after\"}");
        put("/config/r.1?environment=" + env, "{\"value\": \"later\"}");
        put("/config/r.2?environment=" + env, "{\"value\": 1}");
        admin.delete("/config/r.2?environment=" + env);
        put("/config/r.3?environment=" + env, "{\"value\": 3}");
        browser.open("#/changes?env=" + env, TestNode.ADMIN_KEY);
        browser.await("td.key", "r.3");
        // all but the first write of r.1
        for (int i = 0; i < 5; i++) {
            browser.run("document.querySelectorAll('main tbody input[type=checkbox]')[arguments[0]].click()", i);
        }
        browser.click("button", "Undo these 5 changes");
        browser.await("dialog .review", "before");
        browser.click("dialog button", "Apply");
        await().until(() -> config(env, "r.1").path("value").asText().equals("before"));
        assertThat(config(env, "r.3").path("status").asInt()).isEqualTo(404);
    }

    @Test
    void whatOneDoesTheOtherSees() {
        browser.open("#/config?env=" + env, TestNode.ADMIN_KEY);
        try (Browser other = new Browser("http://127.0.0.1:" + node.port())) {
            other.open("#/config?env=" + env, TestNode.ADMIN_KEY);
            other.click("button", "New value");
            other.type("dialog input[pattern]", "by.the.other");
            other.type("dialog textarea", "hello");
            other.click("dialog button", "Review");
            other.await("dialog .review", "hello");
            other.click("dialog button", "Apply");
            other.await(".toast", "revision");
            other.assertQuiet();
        }
        browser.await("td.key", "by.the.other");
    }

    @Test
    void aValueIsChangedByKeyboardAlone() {
        put("/config/k?environment=" + env, "{\"value\": \"old\"}");
        browser.open("#/overview?env=" + env, TestNode.ADMIN_KEY);
        browser.press("g", "c");
        browser.await("main.config td.key");
        browser.press("j");
        browser.press(Keys.ENTER);
        browser.await("main h1", "k");
        browser.press("e");
        browser.await("textarea[aria-label=Value]").sendKeys(" and new");
        browser.chord(Keys.CONTROL, "s");
        browser.await("dialog .review", "new");
        browser.press("a reason");
        browser.press(Keys.ENTER);
        await().until(() -> config(env, "k").get("value").asText().equals("old and new"));
        browser.press("?");
        browser.await("dialog", "the tape of changes");
        browser.press(Keys.ESCAPE);
        browser.awaitNo("dialog");
        browser.chord(Keys.CONTROL, "k");
        browser.await(".palette input").sendKeys("new", Keys.ARROW_DOWN);
        browser.press(Keys.ESCAPE);
    }

    @Test
    void anEdgeServesTheSame() {
        try (TestNode core = TestNode.start(Map.of());
                TestNode edge = core.edge(Map.of());
                Browser other = new Browser("http://127.0.0.1:" + edge.port())) {
            core.admin().put("/config/a?environment=e", "{\"value\": 1}");
            other.open("#/config?env=e", TestNode.ADMIN_KEY);
            other.await("td.key", "a");
            other.go("#/cluster");
            other.await("td", "edge");
            other.assertQuiet();
        }
    }

    @Test
    void peopleSignInAtTheIssuerOfTokens() {
        try (Issuer issuer = new Issuer();
                TestNode own = TestNode.start(Map.of(
                        "CS_ACCESS_JWT_ISSUER",
                        issuer.url(),
                        "CS_ACCESS_JWT_AUDIENCE",
                        "config",
                        "CS_ACCESS_JWT_SECRET",
                        Issuer.SECRET,
                        "CS_CONSOLE_OIDC_CLIENT_ID",
                        "console"));
                Browser other = new Browser("http://127.0.0.1:" + own.port())) {
            other.open("#/config?env=" + env, "");
            other.click("header button", "Sign in");
            other.click(
                    "dialog button.primary",
                    "Sign in with 127.0.0.1:" + issuer.url().replaceAll(".*:", ""));
            other.await("header button", "ann@example.com");
            assertThat(other.hash()).as("back where it was").isEqualTo("#/config?env=" + env);
            assertThat(other.await("main .head button.primary").isEnabled()).isTrue();
            assertThat(other.run("return sessionStorage.length + location.search"))
                    .isEqualTo("0");
            other.assertQuiet();
        }
    }

    @Test
    void theModulesComputeWhatTheServiceDoes() {
        browser.open("#/overview", "");
        StringBuilder users = new StringBuilder();
        for (String user : List.of("user-1", "ä", "日本", "", "x".repeat(33))) {
            int bucket = bucket("salt", user);
            users.append("[")
                    .append('"')
                    .append(user)
                    .append("\",")
                    .append(bucket)
                    .append("],");
        }
        Object wrong = browser.runAsync("""
                const done = arguments[arguments.length - 1];
                const files = document.querySelector("script[type=module]").src.replace("app.js", "");
                Promise.all(["bucket.js", "diff.js", "route.js", "rules.js", "document.js", "json.js"].map(f => import(files + f))).then(async ([b, d, r, u, x, j]) => {
                  const wrong = [];
                  await x.prepare("yaml");
                  const entries = [["a", 1], ["a.b", "it's \\"so\\" = \\\\ # \\u00fc\\u65e5"], ["lines", " one\\n\\ttwo\\n"], ["big", 1.5e300], ["yes", "no"], ["t", true], ["e", ""], ["n", "12"], ["date", "2026-11-27"], ["list", [1, "x", {"y": [null, false]}]], ["indented", " a\\n  b\\n"], ["ended", {"z": "q\\n\\n"}], ["path", "C:\\\\new"], ["tree", {"k": {"l": "v\\n"}, "": []}], ["none", {}], ["a b:c", "1"], ["digits", j.parse("12345678901234567890")], ["form", j.parse("1.0")], ["deep", j.parse("{\\"x\\": [0.30000000000000001, 1E5, 1]}")]];
                  for (const [given, kept, wanted] of [["{\\"a\\":12345678901234567890,\\"b\\":1.0,\\"c\\":-0,\\"d\\":\\"x:1.0\\",\\"e\\":[0.1,1E5]}", true], ["{\\"a\\":50.0,\\"b\\":1e2,\\"c\\":9007199254740993}", false, "{\\"a\\":50,\\"b\\":100,\\"c\\":9007199254740993}"]]) if (JSON.stringify(j.parse(given, kept)) !== (wanted || given)) wrong.push(JSON.stringify(j.parse(given, kept)));
                  for (const f of x.formats()) {
                    const known = new Map(entries);
                    if (x.unfit(f.id, entries)) wrong.push(f.id + x.unfit(f.id, entries));
                    const text = x.writeDocument(f.id, entries);
                    const { values, problems } = x.readDocument(f.id, text, known);
                    const byKey = (a, b) => (a[0] < b[0] ? -1 : 1);
                    if (problems.length || !d.same([...values].sort(byKey), entries.slice().sort(byKey))) wrong.push(f.id + " " + problems + JSON.stringify([...values]) + text);
                  }
                  const read = (f, text, known = []) => { const { values, problems } = x.readDocument(f, text, new Map(known)); return JSON.stringify([...values]) + problems.join("|"); };
                  for (const [got, wanted] of [
                    [read("properties", "! no\\n# no\\n a\\\\ b : c\\\\\\n   d\\ne\\nf\\\\u0041=\\\\t1"), '[["a b","cd"],["e",""],["fA","\\\\t1"]]'],
                    [read("properties", "a=x", [["a", 1]]), "[]line 1: a is a number; to give it another type, choose lines, YAML or JSON"],
                    [read("env", "export A_B=\\"x\\\\\\"y\\" # no\\n\\nC=plain\\nD='two\\nlines'", [["a.b", "1"]]), '[["a.b","x\\\\"y"],["C","plain"],["D","two\\\\nlines"]]'],
                    [read("env", "what is this"), "[]line 1 must be NAME='value'"],
                    [x.unfit("env", [["a.b", 1], ["a_b", 2]]), "a.b and a_b both become A_B"],
                    [x.unfit("env", [["a", "\\r"]]), "a has a carriage return, which variables lose"],
                    [read("lines", "a = 1\\na = 2\\nb\\n = 3"), '[["a",1]]line 2: gives a twice|line 3: has no =|line 4: has no key'],
                    [read("yaml", "a: 1\\nb:\\n  c: [x]\\nd:"), '[["a",1],["b",{"c":["x"]}]]d: may not be null'],
                    [read("json", "[1]"), "[]must be an object"],
                  ]) if (got !== wanted) wrong.push(got + " instead of " + wanted);
                  for (const [user, bucket] of [%s]) if (b.bucket("salt", user) !== bucket) wrong.push(user + " " + b.bucket("salt", user));
                  const m = d.merge({a: 1, b: 1, c: 1}, {a: 2, b: 1, c: 3}, {a: 1, b: 5, c: 4});
                  if (JSON.stringify(m) !== '{"merged":{"a":2,"b":5,"c":3},"conflicts":["c"]}') wrong.push(JSON.stringify(m));
                  if (!d.same({x: [1, {y: null}]}, {x: [1, {y: null}]}) || d.same([1], {0: 1}) || d.same("1", 1)) wrong.push("same");
                  const route = r.parse(r.link("config", ["a/b c"], {env: "ü&=", q: ""}));
                  if (route.parts[0] !== "a/b c" || route.params.env !== "ü&=" || "q" in route.params) wrong.push(JSON.stringify(route));
                  for (const [operator, values] of [["in", ["a", 1, true, "1", "true", "x,y", 'q"', " b", ""]], ["semver_gt", ["1.10", "v2"]], ["gt", [-1.5]], ["matches", ["^a{1,2}$"]]]) {
                    const back = u.readValues(u.writeValues(values, operator), operator);
                    if (!d.same(back, values)) wrong.push(operator + JSON.stringify(back));
                  }
                  done(wrong);
                }, e => done([String(e)]));
                """.formatted(users));
        assertThat(wrong).isEqualTo(List.of());
    }

    @Test
    void aDraftOfAFlagStaysUntilItIsWrittenAndDeletingATemplateIsReviewed() {
        put("/feature-flags/d?environment=" + env, "{\"is_enabled\": true, \"rollout_percentage\": 5}");
        String id = flag("d").get("id").asText();
        browser.open("#/flags/" + id + "?env=" + env, TestNode.ADMIN_KEY);
        browser.click(".stops button", "50 %");
        // somebody else is faster
        put("/feature-flags/d?environment=" + env, "{\"description\": \"theirs\"}");
        browser.go("#/overview");
        browser.await("main.overview p.quiet", "core node");
        browser.go("#/flags/" + id + "?env=" + env);
        browser.click("button", "Review");
        browser.await("dialog .note", "About 45 % more users get it");
        browser.click("dialog button", "Apply");
        assertThat(browser.await("dialog .three").getText()).contains("theirs", "50");
        browser.click("dialog button", "Apply mine on top");
        browser.await("dialog .review", "50");
        browser.click("dialog button", "Apply");
        await().until(() -> flag("d").get("rollout_percentage").asInt() == 50);
        assertThat(flag("d").get("description").asText()).isEqualTo("theirs");

        put("/templates/t-" + env, "{\"configurations\": [{\"key\": \"a\", \"value\": 1}]}");
        browser.go("#/templates/t-" + env);
        browser.await("main h1", "t-" + env);
        browser.click("main .head button", "Delete");
        browser.await("dialog .review", "t-" + env);
        assertThat(admin.get("/templates/t-" + env).status()).isEqualTo(200);
        browser.click("dialog button", "Apply");
        await().until(() -> admin.get("/templates/t-" + env).status() == 404);
        browser.await("main.templates h1", "Templates");
    }

    @Test
    void nothingMovesForThoseWhoWantLessMotion() {
        put("/config/m?environment=" + env, "{\"value\": 1}");
        for (boolean isLess : List.of(true, false)) {
            browser.lessMotion(isLess);
            browser.look("light", 1280, 900);
            browser.open("#/flags?env=" + env, TestNode.ADMIN_KEY);
            Object moving = browser.run("""
                    const probe = document.createElement("div");
                    probe.innerHTML = '<div class="skeleton"><div></div></div><button class="toggle"></button><input class="holding">';
                    document.querySelector("main").append(probe);
                    const moves = e => [null, "::after"].some(p => { const s = getComputedStyle(e, p);
                      return s.animationName !== "none" || s.transitionDuration.split(", ").some(d => parseFloat(d) > 0); });
                    const found = [...probe.querySelectorAll("*")].filter(moves).length;
                    probe.remove();
                    return found;
                    """);
            assertThat(moving).isEqualTo(isLess ? 0L : 3L);
        }
    }

    private static int bucket(String salt, String user) {
        return Bucket.of(salt, user);
    }
}
