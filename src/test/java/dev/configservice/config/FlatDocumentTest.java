package dev.configservice.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.schema.CoreSchema;
import org.yaml.snakeyaml.Yaml;

/** Flat documents, read back by independent readers: two for YAML, the JDK's for properties, and a shell. */
class FlatDocumentTest {
    private static final int DEPTH = 4;
    private static final List<String> ODD_STRINGS = List.of(
            "",
            " ",
            "~",
            "null",
            "yes",
            "No",
            "on",
            "y",
            "true",
            "1:20",
            "1_000",
            "0o17",
            "017",
            "0x1F",
            "1e3",
            "1.5",
            ".inf",
            ".nan",
            "2026-11-25",
            "=",
            "<<",
            "- a",
            "a: b",
            "a #b",
            "#",
            "!x",
            "&x",
            "*x",
            "%x",
            "@x",
            "`x",
            "{a}",
            "[a]",
            "\"",
            "'",
            "it's",
            "\\",
            "\\n",
            "a\nb",
            "a\r\nb\n",
            "\n",
            "\t",
            " a ",
            "a\u0085b",
            "a\u2028b",
            "\ufeffa",
            "\u007f",
            "\u0001",
            "\ud83d\ude00",
            "$HOME `id` $(id)",
            "---",
            "...",
            "? a",
            "a".repeat(2_000));
    private static final List<String> ODD_KEYS = List.of(
            "yes",
            "NO",
            "on",
            "y",
            "null",
            "true",
            "1",
            "1.5",
            "1e3",
            "0x1F",
            "017",
            "0o17",
            "1:20",
            "2026-11-25",
            "1_000",
            "a:",
            "a:b",
            "_",
            "__",
            "a.b-c",
            "9",
            "0",
            "1.",
            "1-2",
            "e",
            "inf",
            "0b1",
            "12e03",
            "a".repeat(255));
    private static final List<String> ODD_NUMBERS = List.of(
            "0",
            "-0",
            "0.0",
            "1e2",
            "1E400",
            "-1e-7",
            "1.0",
            "1.50e+3",
            "0.1",
            "123456789012345678901234567890",
            "1e-300",
            "100",
            "9e9");

    @Provide
    Arbitrary<String> keys() {
        Arbitrary<String> any = Arbitraries.strings()
                .withCharRange('a', 'f')
                .withCharRange('A', 'F')
                .withCharRange('0', '9')
                .withChars("._:-xon")
                .ofMinLength(1)
                .ofMaxLength(12)
                .filter(k -> ConfigurationKind.KEY.problem(k) == null);
        return Arbitraries.oneOf(any, Arbitraries.of(ODD_KEYS));
    }

    private static Arbitrary<String> strings() {
        return Arbitraries.oneOf(
                Arbitraries.of(ODD_STRINGS),
                Arbitraries.strings().ofMaxLength(20).filter(s -> Json.textProblem(s) == null),
                Arbitraries.strings()
                        .withChars(" \t\n\r:#-'\"\\{}[],&*!|>%@`?=~0123456789eEox._+")
                        .ofMaxLength(10));
    }

    private static Arbitrary<JsonNode> scalars() {
        return Arbitraries.oneOf(
                strings().map(s -> (JsonNode) Json.object().textNode(s)),
                Arbitraries.of(ODD_NUMBERS).filter(FlatDocumentTest::isStored).map(FlatDocumentTest::parse),
                Arbitraries.bigDecimals().map(d -> parse(d.toString())),
                Arbitraries.of("true", "false", "[]", "{}").map(FlatDocumentTest::parse));
    }

    @Provide
    Arbitrary<List<JsonNode>> lists() {
        return value(DEPTH).list().ofMaxSize(20);
    }

    /**
     * Generates values of limited depth: without a limit, some would not fit into the heap. The edge cases of containers
     * would multiply with each level.
     */
    private static Arbitrary<JsonNode> value(int depth) {
        if (depth == 0) {
            return scalars();
        }
        Arbitrary<JsonNode> inner = value(depth - 1).withoutEdgeCases();
        return Arbitraries.oneOf(
                scalars(),
                scalars(),
                inner.list().ofMaxSize(3).map(l -> {
                    var array = Json.object().putArray("a");
                    l.forEach(array::add);
                    return (JsonNode) array;
                }),
                Arbitraries.maps(strings(), inner).ofMaxSize(3).map(m -> {
                    ObjectNode object = Json.object();
                    m.forEach(object::set);
                    return (JsonNode) object;
                }));
    }

    @Provide
    Arbitrary<Map<String, JsonNode>> documents() {
        return Arbitraries.maps(keys(), value(DEPTH)).ofMaxSize(4);
    }

    private static boolean isStored(String number) {
        return Json.isKept(new BigDecimal(number));
    }

    private static JsonNode parse(String json) {
        return Json.readObject("{\"v\":" + json + "}").path("v");
    }

    private static ObjectNode document(Map<String, JsonNode> values) {
        ObjectNode object = Json.object();
        values.forEach(object::set);
        return object;
    }

    @Property(tries = 500, shrinking = ShrinkingMode.BOUNDED)
    void yamlIsReadBackByReadersOfYaml11AndYaml12(@ForAll("documents") Map<String, JsonNode> values) {
        readsBackFromYaml(document(values));
    }

    @Test
    void unusualKeysAndValuesAreReadBack() throws Exception {
        ObjectNode all = Json.object();
        int i = 0;
        for (String key : ODD_KEYS) {
            all.put(key, "value");
        }
        for (String value : ODD_STRINGS) {
            all.put("string." + i++, value);
        }
        for (String value : ODD_NUMBERS) {
            if (isStored(value)) {
                all.set("number." + i++, parse(value));
            }
        }
        readsBackFromYaml(all);
        readsBackFromProperties(all);
        ODD_KEYS.forEach(all::remove);
        readsBackFromShell(all);
    }

    @Property(tries = 500, shrinking = ShrinkingMode.BOUNDED)
    void propertiesAreReadBackByTheJdk(@ForAll("documents") Map<String, JsonNode> values) throws IOException {
        readsBackFromProperties(document(values));
    }

    @Property(tries = 30, shrinking = ShrinkingMode.BOUNDED)
    void variablesAreReadBackByAShell(@ForAll("lists") List<JsonNode> values) throws Exception {
        ObjectNode all = Json.object();
        for (int i = 0; i < values.size(); i++) {
            all.set("key-" + i, values.get(i));
        }
        readsBackFromShell(all);
    }

    private static void readsBackFromYaml(ObjectNode values) {
        String yaml = FlatDocument.YAML.write(values);
        Object expected = plain(values);
        Object read11 = new Yaml().load(yaml);
        assertThat(plain(read11)).as("YAML 1.1 of\n%s", yaml).isEqualTo(expected);
        Object read12 =
                new Load(LoadSettings.builder().setSchema(new CoreSchema()).build()).loadFromString(yaml);
        assertThat(plain(read12)).as("YAML 1.2 of\n%s", yaml).isEqualTo(expected);
    }

    private static void readsBackFromProperties(ObjectNode values) throws IOException {
        Properties read = new Properties();
        read.load(new StringReader(FlatDocument.PROPERTIES.write(values)));
        assertThat(read).isEqualTo(strings(values));
    }

    private static void readsBackFromShell(ObjectNode values) throws Exception {
        Path script = Files.createTempFile("flat", ".sh");
        try {
            StringBuilder text = new StringBuilder(FlatDocument.ENV.write(values));
            List<String> expected = new ArrayList<>();
            strings(values).forEach((key, value) -> {
                String name = key.toString().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9_]", "_");
                text.append("printf '%s\\0' \"$").append(name).append("\"\n");
                expected.add(value.toString());
            });
            Files.writeString(script, text);
            Process shell = new ProcessBuilder("sh", script.toString())
                    .redirectErrorStream(true)
                    .start();
            String out = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(shell.waitFor(10, TimeUnit.SECONDS)).isTrue();
            List<String> read = new ArrayList<>(List.of(out.split("\0", -1)));
            read.remove(read.size() - 1);
            assertThat(read).isEqualTo(expected);
        } finally {
            Files.delete(script);
        }
    }

    private static Map<Object, Object> strings(ObjectNode values) {
        Map<Object, Object> strings = new LinkedHashMap<>();
        values.properties()
                .forEach(v -> strings.put(
                        v.getKey(), v.getValue().isTextual() ? v.getValue().textValue() : Json.write(v.getValue())));
        return strings;
    }

    /** Returns a value as maps with string keys, lists, strings, booleans, and numbers as doubles. */
    private static Object plain(Object value) {
        if (value instanceof ObjectNode object) {
            Map<Object, Object> map = new LinkedHashMap<>();
            object.properties().forEach(p -> map.put(p.getKey(), plain(p.getValue())));
            return map;
        }
        if (value instanceof JsonNode node) {
            if (node.isArray()) {
                List<Object> list = new ArrayList<>();
                node.forEach(n -> list.add(plain(n)));
                return list;
            }
            if (node.isNumber()) {
                return node.decimalValue().doubleValue() + 0.0;
            }
            return node.isBoolean() ? (Object) node.booleanValue() : node.textValue();
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((k, v) -> copy.put(k, plain(v)));
            return copy;
        }
        if (value instanceof List<?> list) {
            return list.stream().map(FlatDocumentTest::plain).toList();
        }
        return value instanceof Number number ? (Object) (number.doubleValue() + 0.0) : value;
    }
}
