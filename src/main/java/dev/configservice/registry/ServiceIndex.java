package dev.configservice.registry;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeFeed.TouchedUnit;
import dev.configservice.log.Position;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The names of services that have instances, by their name without regard to case. Thread-safe. */
public final class ServiceIndex {
    private final ChangeFeed feed;
    private final Map<String, Set<String>> byUpperCase = new ConcurrentHashMap<>();

    /** Creates the index of a node. */
    public ServiceIndex(ChangeFeed feed) {
        this.feed = feed;
    }

    /** Starts to follow the log. */
    public void start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (change.resource().kind().equals(Instance.KIND)) {
                    note(change.resource().serviceName(), !change.emptiesUnit());
                }
            }

            @Override
            public void reset(Position position) {
                byUpperCase.clear();
                for (TouchedUnit touched : feed.touchedUnits()) {
                    if (touched.unit().kind().equals(Instance.KIND)) {
                        note(touched.unit().serviceName(), true);
                    }
                }
            }
        });
    }

    private void note(String service, boolean isThere) {
        byUpperCase.compute(service.toUpperCase(Locale.ROOT), (upper, names) -> changed(names, service, isThere));
    }

    private static @Nullable Set<String> changed(@Nullable Set<String> names, String service, boolean isThere) {
        if (names != null && names.contains(service) == isThere) {
            return names;
        }
        // readers may hold the set
        TreeSet<String> changed = new TreeSet<>(names == null ? Set.of() : names);
        if (isThere) {
            changed.add(service);
        } else {
            changed.remove(service);
        }
        return changed.isEmpty() ? null : changed;
    }

    /** Returns the names that are equal to a name without regard to case, sorted. */
    public Set<String> named(String name) {
        return byUpperCase.getOrDefault(name.toUpperCase(Locale.ROOT), Set.of());
    }
}
