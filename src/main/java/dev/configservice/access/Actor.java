package dev.configservice.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Locale;

/**
 * The identity of someone who changes or reads something. Type and id are the identity: nobody else has both.
 *
 * @param id the id of an API key, or the subject of a token
 * @param name the name for people; that of an API key can change
 */
public record Actor(Type type, String id, String name) {
    /** The service itself, e.g. when a lease expires. */
    public static final Actor SYSTEM = new Actor(Type.SYSTEM, "system", "system");
    /** The holder of the admin key. */
    public static final Actor ADMIN = new Actor(Type.ADMIN, "admin", "admin");

    /** The kinds of identities. */
    public enum Type {
        API_KEY,
        TOKEN,
        ADMIN,
        SYSTEM;

        /** Returns the name in the API and in the log. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Type of(String text) {
            return Arrays.stream(values())
                    .filter(t -> t.text().equals(text))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("unknown type of actor"));
        }
    }

    /** Returns an actor from its parts, as they are stored. */
    public static Actor of(String type, String id, String name) {
        return new Actor(Type.of(type), id, name);
    }

    /** Reads an actor that {@link #toJson} wrote. */
    public static Actor of(JsonNode json) {
        return of(
                json.path("type").textValue(),
                json.path("id").textValue(),
                json.path("name").textValue());
    }

    /** Returns the identity as one string. No other actor has the same one. */
    public String identity() {
        return type.text() + ":" + id;
    }

    /** Returns the actor as the API shows it. */
    public ObjectNode toJson() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("type", type.text())
                .put("id", id)
                .put("name", name);
    }
}
