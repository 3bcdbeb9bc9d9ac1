package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.secret.Sealed;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A kind of resource, described in one place: what the log, its events and its retention need to know of it. Nothing else
 * names a kind. A new kind is private and keeps no history until it says otherwise. Pure; called by the writer and by whoever
 * shows changes, on any thread.
 */
public interface ResourceKind {
    /** The name in the API, in the log and in events, e.g. {@code feature_flag}. */
    String name();

    /** Tells whether changes are sent out: to pages and streams of changes, and to Kafka. */
    default boolean isPublic() {
        return false;
    }

    /** Tells whether the history of resources that exist outlives the retention of the log. */
    default boolean keepsHistory() {
        return false;
    }

    /**
     * Tells whether resources belong to a service, or are shared by all services where they name none. A consumer that
     * follows one service gets no others.
     */
    default boolean belongsToService() {
        return false;
    }

    /** Tells whether names are keys, which a consumer can select by their prefix. */
    default boolean hasKeys() {
        return false;
    }

    /**
     * Computes what a resource becomes when fields of it are changed.
     *
     * @param current the resource now
     * @param content its content now; not to be changed
     * @param fields the fields to change, each checked by itself
     * @param sealed the secret that the caller sealed, where the fields hold one
     * @throws ServiceException the fields do not fit the current state
     */
    Content update(Resource current, Content content, ObjectNode fields, Sealed sealed);

    /**
     * Computes what a resource becomes when an earlier content is restored.
     *
     * @param last its last state; of a deleted resource the one before the deletion
     * @throws ServiceException it cannot be restored
     */
    default Content rollback(Resource last, Content earlier) {
        return earlier;
    }

    /**
     * Tells whether a write must be judged by the other resources of its unit, which costs a read.
     *
     * @param before the resource before the write; null if there is none
     */
    default boolean isJudgedByUnit(@Nullable Resource before, Resource after) {
        return false;
    }

    /**
     * Judges a write by the other resources of its unit. The writer repeats it where the unit changes before the write is
     * applied, so that no two writes are judged by the same state.
     *
     * @param after the resource after the write
     * @param unit all resources of the unit before the write
     * @throws ServiceException the write is refused
     */
    default void judge(Resource after, List<Resource> unit) {}

    /** Returns the data of an event, as consumers of changes see it: without secrets and actors. */
    ObjectNode data(Resource resource);

    /** Returns the fields for the audit: all of them, without secrets. */
    default ObjectNode audited(Resource resource) {
        return data(resource);
    }

    /** The fields of a resource without those that the log keeps for every kind, and its secret. */
    record Content(ObjectNode fields, Sealed sealed) {}
}
