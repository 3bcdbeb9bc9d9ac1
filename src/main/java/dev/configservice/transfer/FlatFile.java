package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file with the values of one layer, as they stand in people's repositories. Objects within objects become keys joined by a
 * dot; arrays stay values. The values of properties and of variables are strings.
 */
final class FlatFile {
    private static final Pattern VARIABLE = Pattern.compile("(?:export\\s+)?([A-Za-z_][A-Za-z0-9_.]*)\\s*=\\s*(.*)");

    private FlatFile() {}

    /** Returns the value of each key. */
    static ObjectNode ofTree(JsonNode tree) {
        if (!tree.isObject()) {
            throw ServiceException.invalid("body", "must be an object with keys and values");
        }
        ObjectNode flat = Json.object();
        flatten("", tree, flat);
        return flat;
    }

    private static void flatten(String before, JsonNode object, ObjectNode flat) {
        object.properties().forEach(member -> {
            String key = before + member.getKey();
            JsonNode value = member.getValue();
            if (value.isObject() && !value.isEmpty()) {
                flatten(key + ".", value, flat);
            } else if (value.isNull()) {
                throw ServiceException.invalid(key, "may not be null");
            } else if (flat.has(key)) {
                throw ServiceException.invalid(key, "is given twice, once by an object");
            } else {
                refuseNulls(key, value);
                flat.set(key, value);
            }
        });
    }

    private static void refuseNulls(String at, JsonNode array) {
        for (int i = 0; i < array.size(); i++) {
            if (array.get(i).isNull()) {
                throw ServiceException.invalid(at + "[" + i + "]", "may not be null");
            }
        }
    }

    static ObjectNode ofProperties(String text) {
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(text));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (IllegalArgumentException e) {
            throw ServiceException.invalid("body", "is not a well-formed properties file: " + e.getMessage());
        }
        ObjectNode flat = Json.object();
        new TreeSet<>(properties.stringPropertyNames()).forEach(key -> flat.put(key, properties.getProperty(key)));
        return flat;
    }

    /** Reads {@code NAME=value} lines as a shell does, without expanding anything. */
    static ObjectNode ofVariables(String text) {
        ObjectNode flat = Json.object();
        int number = 0;
        for (String line : text.split("\\R", -1)) {
            number++;
            String stripped = line.strip();
            if (stripped.isEmpty() || stripped.startsWith("#")) {
                continue;
            }
            Matcher m = VARIABLE.matcher(stripped);
            if (!m.matches()) {
                throw ServiceException.invalid("line " + number, "must be NAME=value");
            }
            if (flat.has(m.group(1))) {
                throw ServiceException.invalid("line " + number, "gives " + m.group(1) + " twice");
            }
            flat.put(m.group(1), unquoted(m.group(2), number));
        }
        return flat;
    }

    private static String unquoted(String value, int line) {
        if (value.startsWith("'")) {
            // as this service writes it: a quote within is '\''
            if (!value.endsWith("'") || value.length() < 2) {
                throw ServiceException.invalid("line " + line, "has a quote that does not end on it");
            }
            return value.substring(1, value.length() - 1).replace("'\\''", "'");
        }
        if (value.startsWith("\"")) {
            if (!value.endsWith("\"") || value.length() < 2) {
                throw ServiceException.invalid("line " + line, "has a quote that does not end on it");
            }
            return value.substring(1, value.length() - 1)
                    .replace("\\\"", "\"")
                    .replace("\\n", "\n")
                    .replace("\\\\", "\\");
        }
        int comment = value.indexOf(" #");
        return (comment < 0 ? value : value.substring(0, comment)).strip();
    }
}
