package dev.configservice.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.json.FieldReader;
import dev.configservice.json.Json;
import dev.configservice.json.StringRule;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceKind;
import dev.configservice.postgres.Select;
import dev.configservice.resource.KindDescription.Trait;
import dev.configservice.secret.Sealed;
import io.vertx.core.Future;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A kind whose resources are created, read, changed, deleted and rolled back through {@link ResourceRoutes}. It extends
 * {@link ResourceKind} with the fields that a caller may send and see.
 */
public interface VersionedKind extends ResourceKind {
    /** The query parameter of a write that is wanted in spite of a conflict with resources of other kinds. */
    String FORCE = "force";

    /** Returns the properties that all resources of this kind share. */
    KindDescription description();

    @Override
    default String name() {
        return description().name();
    }

    @Override
    default boolean isPublic() {
        return description().is(Trait.PUBLIC);
    }

    @Override
    default boolean keepsHistory() {
        return description().is(Trait.KEEPS_HISTORY);
    }

    @Override
    default boolean belongsToService() {
        return description().is(Trait.BELONGS_TO_SERVICE);
    }

    @Override
    default boolean hasKeys() {
        return description().is(Trait.HAS_KEYS);
    }

    @Override
    default boolean isGlobal() {
        return description().is(Trait.GLOBAL);
    }

    /** Tells whether only the service itself writes resources of this kind, as a part of other writes. */
    default boolean isInternal() {
        return description().is(Trait.INTERNAL);
    }

    /** Returns the path of the collection below the API's base. */
    default String path() {
        return description().path();
    }

    /** Returns the JSON member that holds a resource's name. */
    default String nameField() {
        return description().nameField();
    }

    /** Returns the right that is needed to write resources of this kind. */
    default Right writeRight() {
        return description().writeRight();
    }

    /** Returns the fields that a caller may give besides the path, each with the value that it has if it is left out. */
    default ObjectNode documented() {
        return Json.object();
    }

    /** Returns a JSON Schema (2020-12) of a resource as {@link #render} shows it, for the description of the API. */
    default ObjectNode schema() {
        return Json.object().put("$ref", "#/components/schemas/" + description().schema());
    }

    /**
     * Reads the body of a creation. Fails with {@link ErrorCode#INVALID} and all errors that it finds.
     *
     * @param id the id that the resource will have
     */
    Creation create(FieldReader fields, String id);

    /**
     * Reads the body of a change, whose generic fields have already been read. Fails with {@link ErrorCode#INVALID} and
     * all errors that it finds, or with {@link ErrorCode#FORBIDDEN}.
     */
    Update change(FieldReader fields, Resource current, Caller caller);

    /** Fails if this caller may not read this single resource. */
    default void requireRead(Resource resource, Caller caller) {
        caller.require(Right.READ, resource.environment(), resource.serviceName());
    }

    /** Fails if this caller may not write resources of this environment and service. */
    default void requireWrite(Caller caller, String environment, String serviceName) {
        caller.requireWrite(writeRight(), environment, serviceName);
    }

    /** Returns the rules for what a resource holds, besides those for its fields; null if there are none. */
    default @Nullable ContentRules contentRules() {
        return null;
    }

    /** Returns the query parameters of the list, besides those of every list, each with its rule. */
    default Map<String, StringRule> listParameters() {
        return Map.of();
    }

    /** Adds the conditions that a request has for the list. */
    default void filter(Select select, Request request) {}

    /** Returns the query parameters that writes of a resource take, each with its rule. */
    default Map<String, StringRule> writeParameters() {
        return Map.of();
    }

    /** Renders the resource for this caller. Actors and secret values appear only if the caller may see them. */
    ObjectNode render(Resource resource, Caller caller);

    /** Tells whether a part of the resource is masked for this caller. */
    default boolean isMasked(Resource resource, Caller caller) {
        return false;
    }

    /** Records that a resource was shown to this caller, if such reads are audited. */
    default void noteRead(Resource resource, Caller caller, String requestId) {}

    /** Returns the value of a version as the history shows it; null if nobody may see it. */
    @Nullable
    JsonNode historyValue(Resource version);

    /** Rules for the content of resources, which need more than the fields of one write. */
    interface ContentRules {
        /** Fails if this caller may not write a resource with this content, or one that has had it. */
        void require(Caller caller, ObjectNode content);

        /**
         * Checks content that is to be written against resources of other kinds, as they are on this node. Completes with
         * warnings, or fails with {@link ErrorCode#INVALID} or {@link ErrorCode#CONFLICT}.
         *
         * @param isForced whether the caller wants it in spite of a conflict, which is then a warning
         * @param isReplaced tells of a resource whether the same write changes it, too
         */
        Future<List<String>> check(String name, ObjectNode content, boolean isForced, Predicate<Resource> isReplaced);

        /**
         * Checks content that was written against what was written to other kinds meanwhile. Completes with the failure for
         * which the write must be taken back; null if it may stay.
         *
         * @param since the revision that the node had applied before the check
         * @param revision the revision of the write
         */
        default Future<@Nullable ServiceException> recheck(
                String name, ObjectNode content, boolean isForced, long since, long revision) {
            return Future.succeededFuture(null);
        }
    }

    /** A resource to create: its path, its fields, and its sealed value. */
    record Creation(String environment, String serviceName, String name, ObjectNode fields, Sealed sealed) {}

    /**
     * A change of a resource.
     *
     * @param fields the fields that change
     * @param warning a warning for the caller; null if there is none
     */
    record Update(
            ObjectNode fields, Sealed sealed, @Nullable String warning) {}
}
