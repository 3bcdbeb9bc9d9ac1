package dev.configservice.log;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import java.util.List;
import java.util.UUID;

/**
 * The place of a change in a change set. The changes of a set have consecutive revisions and are written, read and applied
 * together.
 *
 * @param index its place, from 0 on
 * @param count the number of changes in the set
 */
public record SetMember(UUID id, int index, int count) {
    /** The largest number of operations in a set. */
    public static final int MAX_OPERATIONS = 500;

    /** The largest size of all operations of a set together, in bytes. */
    public static final int MAX_BYTES = 8 << 20;

    /** The largest size of the resources that a set may change or delete together, as they are stored, in characters. */
    public static final int MAX_STORED_CHARS = 16 << 20;

    /** Returns the failure of a set that concerns too much of what is stored. */
    public static ServiceException tooMuchStored() {
        return new ServiceException(
                ErrorCode.TOO_MANY_CHANGES,
                "What the operations change or delete is larger together than " + (MAX_STORED_CHARS >> 20)
                        + " MiB: split them into several sets");
    }

    /** Returns the place as consumers of changes see it. */
    public ObjectNode toJson() {
        return Json.object().put("id", id.toString()).put("index", index).put("count", count);
    }

    /** Returns the number of changes of the set that follow this one. */
    int left() {
        return count - 1 - index;
    }

    /**
     * Returns the end of what must be applied together with a change of a list: that of its set, else the place after it.
     * Fails if the list ends within the set.
     */
    static int end(List<Change> changes, int from) {
        SetMember set = changes.get(from).set();
        int end = set == null ? from + 1 : from + 1 + set.left();
        if (end > changes.size()) {
            throw new IllegalStateException("the changes end within the set " + set);
        }
        return end;
    }
}
