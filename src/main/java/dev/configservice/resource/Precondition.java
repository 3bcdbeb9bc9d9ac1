package dev.configservice.resource;

import dev.configservice.error.ServiceException;
import dev.configservice.http.Request;
import dev.configservice.log.Resource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state that a write requires of its resource.
 *
 * @param mustBeAbsent whether nothing may be at the path
 * @param mustExist whether something must be there
 * @param revisions the revisions of which it must have one; null if it may have any
 */
public record Precondition(
        boolean mustBeAbsent, boolean mustExist, @Nullable List<Long> revisions) {
    /** Any state will do. */
    public static final Precondition NONE = new Precondition(false, false, null);

    /** Nothing may be at the path. */
    public static final Precondition ABSENT = new Precondition(true, false, null);

    /** Returns the precondition that a resource has a revision. */
    public static Precondition revision(long revision) {
        return new Precondition(false, true, List.of(revision));
    }

    /** Returns what {@code If-Match} and {@code If-None-Match} require. */
    static Precondition of(Request request) {
        String none = request.header("if-none-match");
        if (none != null && !none.strip().equals("*")) {
            throw ServiceException.invalid("If-None-Match", "must be * in a write: it then only creates");
        }
        return new Precondition(none != null, request.header("if-match") != null, request.ifMatch());
    }

    /** Fails if the state that this node knows is not the required one, also in its revision. */
    void checkWhole(@Nullable Resource current) {
        check(current);
        if (current != null && revisions != null && !revisions.contains(current.revision())) {
            throw ServiceException.preconditionFailed(current.revision());
        }
    }

    /** Fails if the current state is not the required one. Revisions are left to the writer, which knows the last one. */
    void check(@Nullable Resource current) {
        if (current == null && mustExist) {
            throw ServiceException.absent();
        }
        if (current != null && mustBeAbsent) {
            throw ServiceException.exists(current.revision());
        }
    }
}
