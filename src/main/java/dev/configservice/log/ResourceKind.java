package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A kind of resource. It describes in one place everything that the log, its events and its retention need to know
 * about the kind, so that none of them has to name a kind. By default, a kind is private and keeps no history.
 * Implementations have no side effects; the writer and readers of changes call them on any thread.
 */
public interface ResourceKind {
    /** Returns the name in the API, in the log and in events, e.g. {@code feature_flag}. */
    String name();

    /** Tells whether consumers see changes of this kind: in pages, in streams and in Kafka. */
    default boolean isPublic() {
        return false;
    }

    /**
     * Tells whether the history of a resource is kept beyond the retention of the log, as long as the resource exists.
     */
    default boolean keepsHistory() {
        return false;
    }

    /**
     * Tells whether resources belong to a service. A resource without a service name is shared by all services. A
     * consumer that follows one service gets only the resources of that service and the shared ones.
     */
    default boolean belongsToService() {
        return false;
    }

    /** Tells whether the names of resources are keys that a consumer can select by prefix. */
    default boolean hasKeys() {
        return false;
    }

    /**
     * Computes the content of a resource after some of its fields are changed.
     *
     * @param current the current resource
     * @param content its current content; must not be modified
     * @param fields the fields to change; each has been validated on its own
     * @param sealed the new secret, already sealed; empty if the fields contain none
     * @throws ServiceException if the fields do not fit the current state
     */
    Content update(Resource current, Content content, ObjectNode fields, Sealed sealed);

    /**
     * Computes the content of a resource after an earlier content is restored.
     *
     * @param last the last state of the resource; if it was deleted, the state before the deletion
     * @throws ServiceException if the content cannot be restored
     */
    default Content rollback(Resource last, Content earlier) {
        return earlier;
    }

    /**
     * Returns the largest size of a unit in bytes, beyond which a write may not make it grow; null if there is none for
     * this action.
     */
    default @Nullable Long unitMaxBytes(Action action) {
        return null;
    }

    /**
     * Computes the content of a resource that a {@link Command.Put} creates or replaces.
     *
     * @param last the current resource, or its last state if it was removed; null if it never existed
     */
    default ObjectNode replaced(@Nullable Resource last, ObjectNode content, Instant now) {
        return content;
    }

    /** Computes the fields of a resource in the entry of its removal. */
    default ObjectNode removed(ObjectNode fields, Instant now) {
        return fields;
    }

    /**
     * Tells whether a write must be checked against the other resources of its unit. The check costs a read.
     *
     * @param before the resource before the write; null if it does not exist
     */
    default boolean isJudgedByUnit(@Nullable Resource before, Resource after) {
        return false;
    }

    /**
     * Checks a write against the other resources of its unit. The writer repeats the check if the unit changes before
     * the write is applied. So two writes that were checked against the same state are never both applied. The check may
     * run on a worker thread.
     *
     * @param after the resource after the write
     * @param unit all resources of the unit before the write
     * @throws ServiceException if the write is refused
     */
    default void judge(Resource after, SortedResources unit) {}

    /**
     * Returns the string in which a search looks for parts of it, in lower case; empty if nothing searches for this kind.
     */
    default String words(Resource resource) {
        return "";
    }

    /** Returns the data of an event as consumers of changes see it, without secrets and actors. */
    ObjectNode data(Resource resource);

    /** Returns the fields for the audit: all fields except secrets. */
    default ObjectNode audited(Resource resource) {
        return data(resource);
    }

    /** The secret of a resource, and its fields without those that the log adds for every kind. */
    record Content(ObjectNode fields, Sealed sealed) {}
}
