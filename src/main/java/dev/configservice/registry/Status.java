package dev.configservice.registry;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** How an instance is, as it says itself; one whose lease ends is unhealthy. */
public enum Status {
    STARTING,
    HEALTHY,
    UNHEALTHY,
    /** Draining: listed, never picked. */
    STOPPING;

    private static final Map<String, Status> BY_TEXT =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Status::text, s -> s));

    private final String text = name().toLowerCase(Locale.ROOT);

    /** As it stands in the API. */
    public String text() {
        return text;
    }

    static Optional<Status> of(String text) {
        return Optional.ofNullable(BY_TEXT.get(text));
    }

    static List<String> texts() {
        return Arrays.stream(values()).map(Status::text).toList();
    }
}
