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
import io.vertx.core.buffer.Buffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The lookup of service instances, from memory. It knows nothing of HTTP. */
public final class Discovery {
    private static final long BEAT_SLOT_MILLIS = 5000;
    /** With {@code least_response_time}, one of so many picks goes to the others in turn. */
    private static final int OTHERS_TURN = 10;

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

    /** Returns the number of the current time slot. Heartbeats reach all nodes within one. */
    public long beatSlot() {
        return clock.millis() / BEAT_SLOT_MILLIS;
    }

    /**
     * Returns the JSON of the instances of a service, separated by commas; it must not be changed.
     *
     * @param status the status of the instances; null for all
     */
    public Buffer json(Instances instances, @Nullable Status status) {
        return instances.shown().json(instances.list(), status, beatSlot(), i -> i.fresh(registry.beat(i)));
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
        Shares candidates = candidates(all, metadata);
        if (candidates.isEmpty()) {
            return null;
        }
        if (strategy == Strategy.RANDOM) {
            return candidates.random();
        }
        int turn = turns.get(new Turn(serviceName, metadata), t -> new AtomicInteger())
                .getAndIncrement();
        return strategy == Strategy.ROUND_ROBIN ? candidates.turn(turn) : fastest(candidates, turn);
    }

    /** Returns the healthy instances; if there are none, all others that are not stopping. */
    private Shares candidates(Instances all, Map<String, String> metadata) {
        if (metadata.isEmpty()
                && !all.healthy().isEmpty()
                && !registry.protection().isOn()) {
            return all.shares();
        }
        List<Instance> healthy =
                all.healthy().stream().filter(i -> fits(i, metadata)).toList();
        return Shares.of(
                healthy.isEmpty()
                        ? all.list().stream()
                                .filter(i -> i.status() != Status.STOPPING && fits(i, metadata))
                                .toList()
                        : withoutOverdue(healthy));
    }

    /**
     * Returns the instance with the lowest response time. Some turns go to the others in turn, so that one which was slow
     * once, or never reported, is not left out for ever. If none has reported of late, each gets its turn.
     */
    private Instance fastest(Shares candidates, int turn) {
        long now = clock.millis();
        Instance fastest = null;
        double least = Double.MAX_VALUE;
        for (Instance instance : candidates.instances()) {
            double time = registry.beat(instance).recentResponseTime(now);
            if (time >= 0 && time < least) {
                least = time;
                fastest = instance;
            }
        }
        return fastest == null
                ? candidates.turn(turn)
                : turn % OTHERS_TURN == 0 ? candidates.turn(turn / OTHERS_TURN) : fastest;
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
                .filter(i -> i.isPermanent()
                        || now - registry.beat(i).atMillis() <= i.lease().toMillis())
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
