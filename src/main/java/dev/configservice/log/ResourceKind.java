package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ServiceException;
import dev.configservice.secret.Sealed;

/** How the resources of one kind change: the part of a write that only its feature knows. Pure; called by the writer. */
public interface ResourceKind {
    /** The kind's name, as in {@link Resource#kind}. */
    String kind();

    /**
     * What a resource becomes when fields of it are changed.
     *
     * @param current its content now (not to be changed)
     * @param fields the fields to change, already checked one by one
     * @param sealed what the caller sealed, where the fields hold a secret
     * @throws ServiceException the fields do not go together with what stands
     */
    Content update(Resource current, Content content, ObjectNode fields, Sealed sealed);

    /**
     * What a resource becomes when an earlier content is brought back.
     *
     * @param last its last state, which is that before a deletion where it was deleted
     * @throws ServiceException it cannot be brought back
     */
    default Content rollback(Resource last, Content earlier) {
        return earlier;
    }

    /** What the world sees of a resource when it changes: its event's data, without secrets and actors. */
    ObjectNode data(Resource resource);

    /** The same for the audit, which tells of every field. */
    default ObjectNode audited(Resource resource) {
        return data(resource);
    }

    /** A resource's own fields, without those that the log keeps for every kind, and what is sealed. */
    record Content(ObjectNode fields, Sealed sealed) {}
}
