package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.secret.Sealed;
import java.time.Instant;
import java.util.List;
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
     * Returns the unit whose resources a write must be checked against: its own, or that of another kind. Null if the
     * write needs no check. The check costs a read.
     *
     * @param before the resource before the write; null if it does not exist
     */
    default @Nullable UnitId judgedBy(@Nullable Resource before, Resource after, Action action) {
        return null;
    }

    /**
     * Tells whether {@link #judge} may take too long for an event loop. It then runs on a worker thread.
     *
     * @param unit all resources of the unit before the write
     */
    default boolean isLongToJudge(Resource after, SortedResources unit) {
        return unit.size() > 500;
    }

    /**
     * Checks a write against the resources of a unit. The writer repeats the check if the unit changes before the write is
     * applied. So two writes that were checked against the same state are never both applied.
     *
     * @param after the resource after the write
     * @param unit all resources of the unit before the write
     * @return warnings for the caller
     * @throws ServiceException if the write is refused
     */
    default List<String> judge(Resource after, SortedResources unit) {
        return List.of();
    }

    /**
     * Returns the environment that a resource is for, by which changes are selected and permitted; empty if it is for all.
     */
    default String environment(Resource resource) {
        return resource.environment();
    }

    /** Returns the service that a resource is for, in the same way. */
    default String serviceName(Resource resource) {
        return resource.serviceName();
    }

    /** Tells whether the names of resources are unique over all environments and services. */
    default boolean isGlobal() {
        return false;
    }

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
