package dev.configservice.error;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * A failure that is reported to the caller: its code, a detail text (never with a secret), the fields that are not
 * valid, and further members of the error response. It has no stack trace, because it is not a defect of the
 * service.
 */
public final class ServiceException extends RuntimeException {
    private static final String CURRENT_REVISION = "current_revision";

    private final ErrorCode code;
    private final transient List<FieldError> errors;
    private final transient Map<String, Object> members;

    public ServiceException(ErrorCode code, String detail, List<FieldError> errors, Map<String, Object> members) {
        super(detail, null, false, false);
        this.code = code;
        this.errors = List.copyOf(errors);
        this.members = Map.copyOf(members);
    }

    /** The order in which several operations are judged. */
    private static final List<ErrorCode> JUDGED =
            List.of(ErrorCode.FORBIDDEN, ErrorCode.INVALID, ErrorCode.PRECONDITION_FAILED);

    /** The number of errors that the detail of several operations names. */
    private static final int SHOWN = 20;

    public ServiceException(ErrorCode code, String detail) {
        this(code, detail, List.of(), Map.of());
    }

    /** Returns the failure of a request that breaks one rule. */
    public static ServiceException invalid(String field, String message) {
        return invalid(List.of(new FieldError(field, message)));
    }

    /** Returns the failure of a request that breaks several rules. */
    public static ServiceException invalid(List<FieldError> errors) {
        StringBuilder detail = new StringBuilder();
        for (FieldError e : errors) {
            detail.append(detail.length() == 0 ? "" : "; ")
                    .append(e.field())
                    .append(": ")
                    .append(e.message());
        }
        return new ServiceException(ErrorCode.INVALID, detail.toString(), errors, Map.of());
    }

    public static ServiceException notFound(String detail) {
        return new ServiceException(ErrorCode.NOT_FOUND, detail);
    }

    /** Returns the failure for an Idempotency-Key that was already used for another request. */
    public static ServiceException keyReused() {
        return new ServiceException(
                ErrorCode.IDEMPOTENCY_KEY_REUSED, "The Idempotency-Key was used for another request in the last day");
    }

    /** Returns the failure of a write over a revision that is no longer the current one of a resource. */
    public static ServiceException preconditionFailed(long currentRevision) {
        return new ServiceException(
                ErrorCode.PRECONDITION_FAILED,
                "If-Match does not contain the current revision (" + currentRevision + ")",
                List.of(),
                Map.of(CURRENT_REVISION, currentRevision));
    }

    /** Returns the failure of a write that must create a resource, which exists already. */
    public static ServiceException exists(long currentRevision) {
        return new ServiceException(
                ErrorCode.PRECONDITION_FAILED,
                "It exists already (revision " + currentRevision + "), and If-None-Match only permits to create it",
                List.of(),
                Map.of(CURRENT_REVISION, currentRevision));
    }

    /** Returns the failure of a write that must change a resource, which does not exist. */
    public static ServiceException absent() {
        return new ServiceException(
                ErrorCode.PRECONDITION_FAILED, "It does not exist, and If-Match only permits to change it");
    }

    /**
     * Returns the failure of several operations of which some were refused. It has the code that is judged first among
     * theirs, and all errors of that code, each with the place of its operation.
     *
     * @param refused the refusals by the index of the operation; at least one
     */
    public static ServiceException ofOperations(SortedMap<Integer, ServiceException> refused) {
        ErrorCode code = JUDGED.stream()
                .filter(c -> refused.values().stream().anyMatch(e -> e.code == c))
                .findFirst()
                .orElseGet(() -> refused.values().iterator().next().code);
        List<FieldError> errors = new ArrayList<>();
        StringBuilder detail = new StringBuilder();
        refused.forEach((index, e) -> {
            if (e.code != code) {
                return;
            }
            String operation = "operations[" + index + "]";
            if (e.errors.isEmpty()) {
                errors.add(new FieldError(operation, String.valueOf(e.getMessage())));
            }
            e.errors.forEach(f -> errors.add(new FieldError(operation + "." + f.field(), f.message())));
        });
        for (FieldError e : errors.subList(0, Math.min(SHOWN, errors.size()))) {
            detail.append(detail.length() == 0 ? "" : "; ")
                    .append(e.field())
                    .append(": ")
                    .append(e.message());
        }
        if (errors.size() > SHOWN) {
            detail.append("; and ").append(errors.size() - SHOWN).append(" more");
        }
        Map<String, Object> members = refused.values().stream()
                .filter(e -> e.code == code)
                .findFirst()
                .map(e -> e.members)
                .orElse(Map.of());
        return new ServiceException(code, detail.toString(), errors, members);
    }

    /** Returns the current revision that {@link #preconditionFailed} reports; 0 for every other failure. */
    public long currentRevision() {
        return members.get(CURRENT_REVISION) instanceof Number n ? n.longValue() : 0;
    }

    public static ServiceException unavailable(String detail) {
        return new ServiceException(ErrorCode.UNAVAILABLE, detail);
    }

    public ErrorCode code() {
        return code;
    }

    public List<FieldError> errors() {
        return errors;
    }

    public Map<String, Object> members() {
        return members;
    }
}
