package dev.configservice.registry;

import dev.configservice.log.Change;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Position;
import dev.configservice.registry.Registry.Instances;
import io.vertx.core.Future;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * The instances that have a name, for clients that name an instance without its service. Read from all services when it is
 * first asked for, and kept up to date by the log. Thread-safe.
 */
public final class InstanceIndex {
    private final Registry registry;
    private final ChangeFeed feed;
    private final Function<Instance, List<String>> names;
    private final Map<String, Set<Ref>> byName = new HashMap<>();
    private final Map<Ref, List<String>> known = new TreeMap<>();
    /** The changes of instances while the services are read; the later of both counts. */
    private final Map<Ref, List<String>> meanwhile = new HashMap<>();

    /** True once somebody has asked: before that, nothing is kept. */
    private boolean isWanted;

    private boolean isRead;
    private long resets;

    /** The place of an instance. */
    public record Ref(String serviceName, String instanceId) implements Comparable<Ref> {
        @Override
        public int compareTo(Ref other) {
            int byService = serviceName.compareTo(other.serviceName);
            return byService != 0 ? byService : instanceId.compareTo(other.instanceId);
        }
    }

    /**
     * Creates an index.
     *
     * @param names the names of an instance
     */
    public InstanceIndex(Registry registry, ChangeFeed feed, Function<Instance, List<String>> names) {
        this.registry = registry;
        this.feed = feed;
        this.names = names;
    }

    /** Starts to follow the log. */
    public void start() {
        feed.addListener(new ChangeFeed.Listener() {
            @Override
            public void applied(Change change) {
                if (change.resource().kind().equals(Instance.KIND)) {
                    Instance instance = Instance.of(change.resource());
                    note(instance, change.action().isRemoval() ? List.of() : names.apply(instance));
                }
            }

            @Override
            public void reset(Position position) {
                forget();
            }
        });
    }

    private synchronized void forget() {
        byName.clear();
        known.clear();
        meanwhile.clear();
        isWanted = false;
        isRead = false;
        resets++;
    }

    private synchronized void note(Instance instance, List<String> now) {
        if (!isWanted) {
            return;
        }
        Ref ref = new Ref(instance.serviceName(), instance.instanceId());
        set(ref, now);
        if (!isRead) {
            meanwhile.put(ref, now);
        }
    }

    private void set(Ref ref, List<String> now) {
        List<String> before = now.isEmpty() ? known.remove(ref) : known.put(ref, now);
        if (before != null && before.equals(now)) {
            return;
        }
        for (String name : before == null ? List.<String>of() : before) {
            Set<Ref> refs = byName.get(name);
            if (refs != null && refs.remove(ref) && refs.isEmpty()) {
                byName.remove(name);
            }
        }
        now.forEach(name -> byName.computeIfAbsent(name, n -> new TreeSet<>()).add(ref));
    }

    private synchronized void fill(List<Instances> services, long reset) {
        if (isRead || reset != resets) {
            return;
        }
        for (Instances service : services) {
            for (Instance instance : service.list()) {
                Ref ref = new Ref(instance.serviceName(), instance.instanceId());
                if (!meanwhile.containsKey(ref)) {
                    set(ref, names.apply(instance));
                }
            }
        }
        meanwhile.clear();
        isRead = true;
    }

    private synchronized boolean isRead() {
        return isRead;
    }

    private synchronized long begin() {
        isWanted = true;
        return resets;
    }

    private synchronized List<Ref> found(String name) {
        return List.copyOf(byName.getOrDefault(name, Set.of()));
    }

    /** Returns the places of the instances that have a name, in the order of their services. */
    public Future<List<Ref>> named(String name) {
        if (isRead()) {
            return Future.succeededFuture(found(name));
        }
        long reset = begin();
        return registry.all(0).onFailure(e -> forget()).map(services -> {
            fill(services, reset);
            return found(name);
        });
    }
}
