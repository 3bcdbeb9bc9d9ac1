package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The placeholders of Spring: <code>${key}</code> or <code>${key:default}</code>, also within one another. One that names
 * no key, or that leads back to itself, stays as it is.
 */
final class Placeholders {
    /** The number of characters of all resolved values of an answer. Few placeholders can stand for endless text. */
    private static final long MAX_CHARACTERS = 16L << 20;

    private static final int MAX_DEPTH = 64;
    private static final String BEGIN = "${";

    private final Map<String, JsonNode> values;
    private final Set<String> open = new HashSet<>();
    private long left = MAX_CHARACTERS;

    /** Creates placeholders that stand for these values. */
    Placeholders(Map<String, JsonNode> values) {
        this.values = values;
    }

    /** Returns a value with its placeholders resolved. Fails with {@link ErrorCode#CONFLICT} if it becomes too large. */
    JsonNode resolve(JsonNode value) {
        return value.isTextual() && value.textValue().contains(BEGIN)
                ? TextNode.valueOf(resolve(value.textValue(), 0))
                : value;
    }

    private String resolve(String text, int depth) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        int begin;
        while (depth < MAX_DEPTH && (begin = text.indexOf(BEGIN, from)) >= 0) {
            int end = end(text, begin + BEGIN.length());
            if (end < 0) {
                break;
            }
            append(out, text.substring(from, begin));
            String name = resolve(text.substring(begin + BEGIN.length(), end), depth + 1);
            String found = lookUp(name, depth);
            append(out, found == null ? text.substring(begin, end + 1) : found);
            from = end + 1;
        }
        return append(out, text.substring(from)).toString();
    }

    private StringBuilder append(StringBuilder out, String text) {
        left -= text.length();
        if (left < 0) {
            throw new ServiceException(
                    ErrorCode.CONFLICT, "The placeholders stand for more than " + MAX_CHARACTERS + " characters");
        }
        return out.append(text);
    }

    /** Returns what stands for a placeholder; null if nothing does. */
    private @Nullable String lookUp(String name, int depth) {
        String found = value(name, depth);
        int colon = name.indexOf(':');
        if (found != null || colon < 0) {
            return found;
        }
        String of = value(name.substring(0, colon), depth);
        return of == null ? name.substring(colon + 1) : of;
    }

    private @Nullable String value(String key, int depth) {
        JsonNode value = values.get(key);
        if (value == null || !open.add(key)) {
            return null;
        }
        try {
            return value.isTextual() ? resolve(value.textValue(), depth + 1) : Json.write(value);
        } finally {
            open.remove(key);
        }
    }

    /** Returns the index of the brace that ends what begins at an index; -1 if there is none. */
    private static int end(String text, int from) {
        int nested = 0;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '{') {
                nested++;
            } else if (c == '}' && nested-- == 0) {
                return i;
            }
        }
        return -1;
    }
}
