package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.json.FieldReader;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.secret.Sealed;
import org.jspecify.annotations.Nullable;

/**
 * A kind whose resources are created, read, changed, deleted and rolled back by id through {@link ResourceRoutes}. It adds to
 * {@link ResourceKind} what a caller may send and see.
 */
public interface VersionedKind extends ResourceKind {
    /** The path of the collection below the API's base, e.g. {@code /config}. */
    String path();

    /** The member that holds a resource's name, e.g. {@code key}. */
    String nameField();

    /** The right to write such resources. */
    Right writeRight();

    /** A JSON Schema (2020-12) of a resource as {@link #render} shows it, for the description of the API. */
    ObjectNode schema();

    /**
     * Reads the body of a creation, and fails with {@link ErrorCode#INVALID} and all errors.
     *
     * @param id the id that the resource will have
     */
    Creation create(FieldReader fields, String id);

    /**
     * Reads the body of a change, of which the generic fields are read already; fails with {@link ErrorCode#INVALID} and all
     * errors, or with {@link ErrorCode#FORBIDDEN}.
     */
    Update change(FieldReader fields, Resource current, Caller caller);

    /** Fails where this caller may not read the resource by itself. */
    default void requireRead(Resource resource, Caller caller) {
        caller.require(Right.READ, resource.environment(), resource.serviceName());
    }

    /** Fails where this caller may not write there. */
    default void requireWrite(Caller caller, String environment, String serviceName) {
        caller.requireWrite(writeRight(), environment, serviceName);
    }

    /** Renders the resource as this caller sees it: with actors for those who may see them, and masked where it must be. */
    ObjectNode render(Resource resource, Caller caller);

    /** Tells whether something of it is masked for this caller. */
    default boolean isMasked(Resource resource, Caller caller) {
        return false;
    }

    /** Records that a resource was shown to this caller, where such reads are audited. */
    default void noteRead(Resource resource, Caller caller, String requestId) {}

    /** The value of a version as history shows it; null where nobody may see it. */
    @Nullable
    JsonNode historyValue(Resource version);

    /** A resource to be created: its path, its fields, and its secret. */
    record Creation(String environment, String serviceName, String name, ObjectNode fields, Sealed sealed) {}

    /**
     * A change of a resource.
     *
     * @param fields the fields that change
     * @param warning the text of a warning for the caller; null for none
     */
    record Update(
            ObjectNode fields, Sealed sealed, @Nullable String warning) {}
}
