package dev.configservice.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A format for keys and values in one flat document that a program can load when it starts. */
enum FlatDocument {
    MAP("application/json") {
        @Override
        String write(ObjectNode values) {
            return Json.write(values);
        }
    },
    /** {@code NAME='value'} lines for a POSIX shell. Fails with {@link ErrorCode#CONFLICT} if two names are equal. */
    ENV("text/plain; charset=utf-8") {
        @Override
        String write(ObjectNode values) {
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
        String write(ObjectNode values) {
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
        String write(ObjectNode values) {
            try {
                return YAML_MAPPER.writeValueAsString(values);
            } catch (JsonProcessingException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private static final YAMLMapper YAML_MAPPER = YAMLMapper.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .build();

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

    abstract String write(ObjectNode values);

    private static String text(JsonNode value) {
        return value.isTextual() ? value.textValue() : Json.write(value);
    }

    private static String variable(String key) {
        String name = key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9_]", "_");
        return Character.isDigit(name.charAt(0)) ? "_" + name : name;
    }

    private static String escape(String text, boolean isKey) {
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
