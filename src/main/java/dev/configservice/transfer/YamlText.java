package dev.configservice.transfer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.io.StringReader;
import java.util.Iterator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.DocumentStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.MappingEndEvent;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.events.SequenceEndEvent;
import org.yaml.snakeyaml.events.SequenceStartEvent;
import org.yaml.snakeyaml.events.StreamEndEvent;

/**
 * YAML, read as the subset that is JSON: a plain number of JSON is a number with all its digits, {@code true}, {@code false}
 * and {@code null} are what they say, and any other scalar is a string. What other readers disagree about is refused:
 * anchors, aliases, tags, merge keys, keys that are given twice, other forms of null, and several documents.
 */
final class YamlText {
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");
    private static final int MAX_DEPTH = 100;
    private static final int MAX_CHARS = 32 << 20;

    private final Iterator<Event> events;

    private YamlText(Iterator<Event> events) {
        this.events = events;
    }

    /** Reads a document. Fails with an error that names the path in it. */
    static JsonNode read(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setCodePointLimit(MAX_CHARS);
        options.setNestingDepthLimit(MAX_DEPTH);
        try {
            YamlText reader =
                    new YamlText(new Yaml(options).parse(new StringReader(text)).iterator());
            return reader.document();
        } catch (YAMLException e) {
            String message = String.valueOf(e.getMessage()).lines().limit(4).reduce("", (a, b) -> a + " " + b.strip());
            throw ServiceException.invalid("body", "is not well-formed YAML:" + message);
        }
    }

    private JsonNode document() {
        JsonNode found = null;
        while (events.hasNext()) {
            Event event = events.next();
            if (event instanceof DocumentStartEvent) {
                if (found != null) {
                    throw ServiceException.invalid("body", "must be one document");
                }
                found = value(events.next(), "body", 0);
            } else if (event instanceof StreamEndEvent && found == null) {
                throw ServiceException.invalid("body", "is empty");
            }
        }
        return found == null ? Json.object() : found;
    }

    private JsonNode value(Event event, String path, int depth) {
        if (event instanceof AliasEvent) {
            throw ServiceException.invalid(path, "may not be an alias");
        }
        if (event instanceof NodeEvent node && node.getAnchor() != null) {
            throw ServiceException.invalid(path, "may not have an anchor");
        }
        if (depth > MAX_DEPTH) {
            throw ServiceException.invalid(path, "is nested too deeply");
        }
        if (event instanceof MappingStartEvent start) {
            refuseTag(start.getTag(), path);
            return object(path, depth);
        }
        if (event instanceof SequenceStartEvent start) {
            refuseTag(start.getTag(), path);
            ArrayNode array = Json.object().arrayNode();
            for (Event item = events.next(); !(item instanceof SequenceEndEvent); item = events.next()) {
                array.add(value(item, path + "[" + array.size() + "]", depth + 1));
            }
            return array;
        }
        return scalar((ScalarEvent) event, path);
    }

    private static void refuseTag(@Nullable String tag, String path) {
        if (tag != null) {
            throw ServiceException.invalid(path, "may not have a tag");
        }
    }

    private ObjectNode object(String path, int depth) {
        ObjectNode object = Json.object();
        for (Event event = events.next(); !(event instanceof MappingEndEvent); event = events.next()) {
            if (!(event instanceof ScalarEvent key) || key.getAnchor() != null || key.getTag() != null) {
                throw ServiceException.invalid(path, "must have strings as keys, without anchors and tags");
            }
            String name = key.getValue();
            String at = path.equals("body") ? name : path + "." + name;
            if (name.equals("<<") && key.getScalarStyle() == ScalarStyle.PLAIN) {
                throw ServiceException.invalid(path, "may not have a merge key");
            }
            if (object.has(name)) {
                throw ServiceException.invalid(at, "is given twice");
            }
            object.set(name, value(events.next(), at, depth + 1));
        }
        return object;
    }

    private static JsonNode scalar(ScalarEvent scalar, String path) {
        refuseTag(scalar.getTag(), path);
        String text = scalar.getValue();
        if (scalar.getScalarStyle() != ScalarStyle.PLAIN) {
            return TextNode.valueOf(text);
        }
        if (NUMBER.matcher(text).matches()) {
            return Json.read(text);
        }
        return switch (text) {
            case "true" -> BooleanNode.TRUE;
            case "false" -> BooleanNode.FALSE;
            case "null" -> NullNode.getInstance();
            case "", "~", "Null", "NULL" -> throw ServiceException.invalid(path, "may not be left empty: write null");
            default -> TextNode.valueOf(text);
        };
    }
}
