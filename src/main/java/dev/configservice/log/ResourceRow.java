package dev.configservice.log;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.json.Json;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a resource as they are stored: the text of a JSON object, without secrets. Immutable.
 *
 * <p>A write looks into the same row many times, so the text is parsed once. The tree takes several times the memory of
 * the text, therefore it is held weakly: a row that is merely kept loses it with the next collection.
 */
public final class ResourceRow {
    private final String text;
    private volatile @Nullable WeakReference<ObjectNode> tree;

    private ResourceRow(String text) {
        this.text = text;
    }

    /** Returns a row with this text, which must be a JSON object. */
    public static ResourceRow of(String text) {
        return new ResourceRow(text);
    }

    /** Returns a row with these fields. Later changes of the object do not change the row. */
    public static ResourceRow of(ObjectNode fields) {
        return new ResourceRow(Json.write(fields));
    }

    public String text() {
        return text;
    }

    /** Returns the number of characters of the text. */
    public int length() {
        return text.length();
    }

    /**
     * Returns an object with the fields. The caller may add and remove fields, but must not change a value within: others
     * are given the same values.
     */
    public ObjectNode fields() {
        return Json.object().setAll(tree());
    }

    /** Returns the value of a field; null if there is no such field. It must not be changed. */
    public @Nullable JsonNode get(String field) {
        return tree().get(field);
    }

    /** Returns the value of a field; a missing node if there is no such field. It must not be changed. */
    public JsonNode path(String field) {
        return tree().path(field);
    }

    private ObjectNode tree() {
        WeakReference<ObjectNode> known = tree;
        ObjectNode parsed = known == null ? null : known.get();
        if (parsed == null) {
            parsed = Json.readObject(text);
            tree = new WeakReference<>(parsed);
        }
        return parsed;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ResourceRow row && text.equals(row.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
