package dev.configservice.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.access.Caller;
import dev.configservice.access.Right;
import dev.configservice.registry.Registry.Instances;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The lookup of service instances, from memory. It knows nothing of HTTP. */
public final class Discovery {
    private final Registry registry;
    private final InstantSource clock;
    private final Cache<Turn, AtomicInteger> turns =
            Caffeine.newBuilder().maximumSize(100_000).build();

    /** The key of a round-robin counter: a service and the metadata that a request asks for. */
    private record Turn(String serviceName, Map<String, String> metadata) {}

    /** The ways to pick one of several healthy instances. */
    public enum Strategy {
        ROUND_ROBIN,
        RANDOM,
        LEAST_RESPONSE_TIME;

        /** Returns the name in the API. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Optional<Strategy> of(String text) {
            return Arrays.stream(values()).filter(s -> s.text().equals(text)).findFirst();
        }
    }

    /** The instance that was picked (null if none matches) and all instances of its service. */
    public record Pick(@Nullable Instance instance, Instances of) {}

    public Discovery(Registry registry, InstantSource clock) {
        this.registry = registry;
        this.clock = clock;
    }

    /** Returns the last heartbeat of an instance. */
    public LeaseBeats.Beat beat(Instance instance) {
        return registry.beat(instance);
    }

    /** Returns the reason why expiry is held back, or null if it is not. */
    public @Nullable String protectedReason() {
        return registry.protection().reason();
    }

    /** Returns the instances of a service. An unknown service has none. */
    public Future<Instances> instances(String serviceName, long minRevision) {
        return registry.instances(serviceName, minRevision);
    }

    /**
     * Picks one instance of a service: a healthy one if there is one, otherwise any other that is not stopping.
     *
     * @param metadata the entries that the metadata of the instance must have
     */
    public Future<Pick> pick(String serviceName, Map<String, String> metadata, Strategy strategy, long minRevision) {
        return Futures.map(
                registry.instances(serviceName, minRevision),
                instances -> new Pick(pick(serviceName, instances, metadata, strategy), instances));
    }

    private @Nullable Instance pick(
            String serviceName, Instances all, Map<String, String> metadata, Strategy strategy) {
        List<Instance> healthy = all.healthy();
        if (!metadata.isEmpty()) {
            healthy = healthy.stream().filter(i -> fits(i, metadata)).toList();
        }
        List<Instance> candidates = healthy.isEmpty()
                ? all.list().stream()
                        .filter(i -> i.status() != Status.STOPPING && fits(i, metadata))
                        .toList()
                : withoutOverdue(healthy);
        if (candidates.isEmpty()) {
            return null;
        }
        return switch (strategy) {
            case RANDOM -> candidates.get(ThreadLocalRandom.current().nextInt(candidates.size()));
            case LEAST_RESPONSE_TIME ->
                candidates.stream()
                        .min(Comparator.comparingDouble(this::responseTime))
                        .orElseThrow();
            case ROUND_ROBIN ->
                candidates.get(Math.floorMod(
                        turns.get(new Turn(serviceName, metadata), t -> new AtomicInteger())
                                .getAndIncrement(),
                        candidates.size()));
        };
    }

    private double responseTime(Instance instance) {
        double time = registry.beat(instance).responseTime();
        return time < 0 ? Double.MAX_VALUE : time;
    }

    /**
     * Leaves out the instances whose lease is overdue. While expiry is held back, these still count as healthy, but
     * they are picked only if there are no others.
     */
    private List<Instance> withoutOverdue(List<Instance> healthy) {
        if (!registry.protection().isOn()) {
            return healthy;
        }
        long now = clock.millis();
        List<Instance> beating = healthy.stream()
                .filter(i -> now - registry.beat(i).atMillis() <= i.lease().toMillis())
                .toList();
        return beating.isEmpty() ? healthy : beating;
    }

    /** Tells whether the metadata of an instance has all of these entries. */
    public static boolean fits(Instance instance, Map<String, String> metadata) {
        JsonNode of = instance.row().path("metadata");
        return metadata.entrySet().stream()
                .allMatch(m -> of.path(m.getKey()).asText("").equals(m.getValue()));
    }

    /**
     * Returns the services that a caller may read, sorted by name.
     *
     * @param serviceName the only service to return; null for all services
     */
    public Future<List<Instances>> visible(Caller caller, @Nullable String serviceName, long minRevision) {
        Future<List<Instances>> found = serviceName == null
                ? registry.all(minRevision)
                : registry.instances(serviceName, minRevision).map(List::of);
        return found.map(services -> {
            List<Instances> visible = new ArrayList<>(services);
            visible.removeIf(s -> !caller.may(Right.READ, "", s.serviceName()));
            visible.sort(Comparator.comparing(Instances::serviceName));
            return visible;
        });
    }
}
