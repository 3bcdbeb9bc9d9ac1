package dev.configservice.config;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.JsonGeneratorDelegate;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.util.StringQuotingChecker;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A format for keys and values in one flat document that a program can load when it starts. */
public enum FlatDocument {
    MAP("application/json") {
        @Override
        public String write(ObjectNode values) {
            return Json.write(values);
        }
    },
    /** {@code NAME='value'} lines for a POSIX shell. Fails with {@link ErrorCode#CONFLICT} if two names are equal. */
    ENV("text/plain; charset=utf-8") {
        @Override
        public String write(ObjectNode values) {
            StringBuilder out = new StringBuilder();
            Map<String, String> names = new HashMap<>();
            values.properties().forEach(v -> {
                String name = variable(v.getKey());
                String other = names.put(name, v.getKey());
                if (other != null) {
                    throw new ServiceException(
                            ErrorCode.CONFLICT, "The keys " + other + " and " + v.getKey() + " both become " + name);
                }
                out.append(name)
                        .append("='")
                        .append(text(v.getValue()).replace("'", "'\\''"))
                        .append("'\n");
            });
            return out.toString();
        }
    },
    /** The format of {@code java.util.Properties}. */
    PROPERTIES("text/plain; charset=utf-8") {
        @Override
        public String write(ObjectNode values) {
            StringBuilder out = new StringBuilder();
            values.properties()
                    .forEach(v -> out.append(escape(v.getKey(), true))
                            .append('=')
                            .append(escape(text(v.getValue()), false))
                            .append('\n'));
            return out.toString();
        }
    },
    YAML("application/yaml") {
        @Override
        public String write(ObjectNode values) {
            StringWriter out = new StringWriter();
            try (JsonGenerator yaml = YAML_MAPPER.createGenerator(out)) {
                YAML_MAPPER.writeValue(new YamlNumbers(yaml), values);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return ESCAPE.matcher(out.toString())
                    .replaceAll(m -> Matcher.quoteReplacement(RARE_ESCAPES.getOrDefault(m.group(), m.group())));
        }
    };

    private static final Pattern ESCAPE = Pattern.compile("\\\\.");
    /** Escapes of YAML that not every reader knows. */
    private static final Map<String, String> RARE_ESCAPES =
            Map.of("\\N", "\\u0085", "\\_", "\\u00a0", "\\L", "\\u2028", "\\P", "\\u2029");

    private static final Pattern PLAIN_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]*");
    private static final YAMLMapper YAML_MAPPER = new YAMLMapper(YAMLFactory.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .stringQuotingChecker(new PlainNames())
            .build());

    /** Quotes each name that a reader of YAML 1.1 or 1.2 could take for something else than this string. */
    private static final class PlainNames extends StringQuotingChecker.Default {
        private static final long serialVersionUID = 1;

        @Override
        public boolean needToQuoteName(String name) {
            return !PLAIN_NAME.matcher(name).matches() || super.needToQuoteName(name);
        }
    }

    /** Writes numbers so that they are numbers for YAML 1.1 too, which needs a point before an exponent. */
    private static final class YamlNumbers extends JsonGeneratorDelegate {
        YamlNumbers(JsonGenerator yaml) {
            super(yaml, false);
        }

        @Override
        public void writeNumber(BigDecimal number) throws IOException {
            String text = number.toString();
            delegate.writeNumber(text.contains(".") ? text : text.replace("E", ".0E"));
        }
    }

    private final String contentType;

    FlatDocument(String contentType) {
        this.contentType = contentType;
    }

    static final List<String> NAMES = List.of("map", "env", "properties", "yaml");

    /** The rule for the name of a format. */
    static final StringRule FORMAT = text -> NAMES.contains(text) ? null : "must be one of " + String.join(", ", NAMES);

    /** Returns the format with this name. The name must satisfy {@link #FORMAT}. */
    static FlatDocument of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    String contentType() {
        return contentType;
    }

    /** Writes keys and values. Values that are objects or arrays are kept as such where the format has them. */
    public abstract String write(ObjectNode values);

    private static String text(JsonNode value) {
        return value.isTextual() ? value.textValue() : Json.write(value);
    }

    private static String variable(String key) {
        String name = key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9_]", "_");
        return Character.isDigit(name.charAt(0)) ? "_" + name : name;
    }

    /** Escapes a key or a value for {@code java.util.Properties}. */
    public static String escape(String text, boolean isKey) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\f' -> out.append("\\f");
                case '=', ':', '#', '!' -> out.append(isKey ? "\\" : "").append(c);
                case ' ' -> out.append(isKey || i == 0 ? "\\ " : " ");
                default -> {
                    if (c < 0x20 || c > 0x7e) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.toString();
    }
}
