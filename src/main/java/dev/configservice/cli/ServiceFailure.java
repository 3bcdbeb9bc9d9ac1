package dev.configservice.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** The failure of a command: a message for people, and the exit code for scripts. */
final class ServiceFailure extends RuntimeException {
    /** The exit codes of the commands that call the service. */
    static final int WRONG_USAGE = 1;

    static final int BROKEN = 2;
    static final int NOT_FOUND = 4;
    static final int NOT_PERMITTED = 5;
    static final int CONFLICT = 6;
    static final int UNREACHABLE = 7;
    static final int INVALID = 8;
    static final int DIFFERENT = 9;

    private final int exitCode;
    private final String type;

    ServiceFailure(int exitCode, String message) {
        this(exitCode, "", message);
    }

    private ServiceFailure(int exitCode, String type, String message) {
        super(message, null, false, false);
        this.exitCode = exitCode;
        this.type = type;
    }

    /** Returns the failure that a problem (RFC 9457) of the service tells of. */
    static ServiceFailure of(int status, JsonNode problem) {
        int code =
                switch (status) {
                    case 401, 403 -> NOT_PERMITTED;
                    case 404, 410 -> NOT_FOUND;
                    case 409, 412 -> CONFLICT;
                    case 503 -> UNREACHABLE;
                    default -> INVALID;
                };
        StringBuilder message = new StringBuilder();
        message.append(problem.path("title").asText("The service answered " + status));
        JsonNode errors = problem.path("errors");
        if (errors.isEmpty()) {
            message.append(": ").append(problem.path("detail").asText(""));
        }
        for (JsonNode error : errors) {
            message.append("\n  ")
                    .append(error.path("field").asText())
                    .append(": ")
                    .append(error.path("message").asText());
        }
        if (problem.has("request_id")) {
            message.append("\n  (status ")
                    .append(status)
                    .append(", request ")
                    .append(problem.path("request_id").asText())
                    .append(')');
        }
        return new ServiceFailure(code, problem.path("type").asText(""), message.toString());
    }

    int exitCode() {
        return exitCode;
    }

    /** Tells whether the service names this type of problem. */
    boolean is(String wanted) {
        return type.endsWith(wanted);
    }
}
