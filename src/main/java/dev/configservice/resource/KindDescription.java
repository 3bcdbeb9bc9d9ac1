package dev.configservice.resource;

import dev.configservice.access.Right;
import java.util.Set;

/**
 * The properties that all resources of a kind share.
 *
 * @param name the name in the API, in the log and in events, e.g. {@code feature_flag}
 * @param path the path of the collection below the API's base, e.g. {@code /config}
 * @param nameField the JSON member that holds a resource's name, e.g. {@code key}
 * @param writeRight the right that is needed to write resources of the kind
 * @param schema the name of the schema of a resource in the description of the API
 */
public record KindDescription(
        String name, String path, String nameField, Right writeRight, String schema, Set<Trait> traits) {

    /** A property that kinds have or have not. Those of the log are explained in {@code ResourceKind}. */
    public enum Trait {
        PUBLIC,
        KEEPS_HISTORY,
        BELONGS_TO_SERVICE,
        HAS_KEYS,
        GLOBAL,
        /** Only the service itself writes resources of the kind, as a part of other writes. */
        INTERNAL
    }

    public KindDescription {
        traits = Set.copyOf(traits);
    }

    public KindDescription(
            String name, String path, String nameField, Right writeRight, String schema, Trait... traits) {
        this(name, path, nameField, writeRight, schema, Set.of(traits));
    }

    boolean is(Trait trait) {
        return traits.contains(trait);
    }
}
