package dev.configservice.registry;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How an instance is, as it says itself; one whose lease ends is unhealthy. */
public enum Status {
    STARTING,
    HEALTHY,
    UNHEALTHY,
    /** Draining: listed, never picked. */
    STOPPING;

    /** As it stands in the API. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Status> of(String text) {
        return Arrays.stream(values()).filter(s -> s.text().equals(text)).findFirst();
    }

    static List<String> texts() {
        return Arrays.stream(values()).map(Status::text).toList();
    }
}
