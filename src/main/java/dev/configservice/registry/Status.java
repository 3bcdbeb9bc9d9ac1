package dev.configservice.registry;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The status of an instance. Each heartbeat reports it. If the lease expires, the instance is unhealthy. */
public enum Status {
    HEALTHY,
    /** Draining: still listed, but never picked. */
    STOPPING,
    STARTING,
    UNHEALTHY;

    private static final Map<String, Status> BY_TEXT =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Status::text, s -> s));

    private final String text = name().toLowerCase(Locale.ROOT);

    /** Compares in the order of the constants, from the best to the worst. */
    boolean isWorseThan(Status other) {
        return compareTo(other) > 0;
    }

    /** Returns the name in the API. */
    public String text() {
        return text;
    }

    public static Optional<Status> of(String text) {
        return Optional.ofNullable(BY_TEXT.get(text));
    }

    static List<String> texts() {
        return Arrays.stream(values()).map(Status::text).toList();
    }
}
