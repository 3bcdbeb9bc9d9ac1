package dev.configservice.facade.spring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.configservice.config.VisibleConfiguration;
import dev.configservice.json.Json;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Neighbouring configurations of a layer as Spring knows them: objects and arrays are taken apart, so that each key has a
 * string, a number or a boolean.
 *
 * @param members the members of a JSON object with all that are not encrypted, without its braces; must not be changed
 */
record FlatPart(Buffer members, List<VisibleConfiguration> plain, List<VisibleConfiguration> sealed) {
    /**
     * The number of characters of keys and values up to which values are taken apart. An object with a long name and many
     * members would else become many times as large; it is left whole, and Spring binds it all the same.
     */
    private static final long MAX_FLAT = 4L << 20;

    /** The longest key that comes of taking a value apart. */
    private static final int MAX_KEY = 10_000;

    static FlatPart of(List<VisibleConfiguration> configurations) {
        List<VisibleConfiguration> plain = new ArrayList<>();
        List<VisibleConfiguration> sealed = new ArrayList<>();
        for (VisibleConfiguration configuration : configurations) {
            (configuration.isSealed() ? sealed : plain).add(configuration);
        }
        return new FlatPart(members(flat(plain)), plain, sealed);
    }

    /** Returns the values of those that are not encrypted, by key. */
    ObjectNode flat() {
        return flat(plain);
    }

    private static ObjectNode flat(List<VisibleConfiguration> plain) {
        ObjectNode flat = Json.object();
        Room room = new Room(MAX_FLAT);
        plain.forEach(configuration -> flatten(configuration.key(), configuration.value(), flat, room));
        return flat;
    }

    /** Returns the members of an object as JSON, without its braces. */
    static Buffer members(ObjectNode object) {
        byte[] json = Json.bytes(object);
        return Buffer.buffer(json.length).appendBytes(json, 1, json.length - 2);
    }

    /** Adds a single value under a key, or its parts under theirs. */
    static void flatten(String key, JsonNode value, ObjectNode flat) {
        flatten(key, value, flat, new Room(MAX_FLAT));
    }

    /** The characters that may still be added by taking values apart. */
    private static final class Room {
        private long left;

        Room(long left) {
            this.left = left;
        }
    }

    private static void flatten(String key, JsonNode value, ObjectNode flat, Room room) {
        ObjectNode parts = Json.object();
        if (value.isContainerNode() && !apart(key, value, parts, room)) {
            flat.set(key, value);
        } else if (value.isContainerNode()) {
            parts.properties().forEach(part -> flat.set(part.getKey(), part.getValue()));
        } else {
            flat.set(key, value);
        }
    }

    private static boolean apart(String key, JsonNode value, ObjectNode parts, Room room) {
        room.left -= key.length() + 8L;
        if (room.left < 0 || key.length() > MAX_KEY) {
            return false;
        }
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                if (!apart(key + "." + member.getKey(), member.getValue(), parts, room)) {
                    return false;
                }
            }
            return true;
        }
        if (value.isArray() && !value.isEmpty()) {
            for (int i = 0; i < value.size(); i++) {
                if (!apart(key + "[" + i + "]", value.get(i), parts, room)) {
                    return false;
                }
            }
            return true;
        }
        parts.set(key, value.isArray() || value.isNull() ? TextNode.valueOf("") : value);
        return true;
    }
}
