package dev.configservice.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.log.Action;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.ChangeFeed.TouchedUnit;
import dev.configservice.log.Command;
import dev.configservice.log.Ids;
import dev.configservice.log.Origin;
import dev.configservice.log.Resource;
import dev.configservice.log.WriteResult;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.registry.lease.LeaseHolder;
import dev.configservice.registry.lease.LeaseResult;
import dev.configservice.registry.lease.Leases;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.CodePointOrder;
import dev.configservice.snapshot.Snapshot;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.vertx.Futures;
import io.vertx.core.Future;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The registry of service instances. It registers and removes them, takes their heartbeats, and reads them. */
public final class Registry {

    private final SnapshotCache cache;
    private final ChangeFeed feed;
    private final ChangeBus bus;
    private final Leases leases;
    private final LeaseBeats beats;
    private final Protection protection;
    private final Ids ids;
    private final InstantSource clock;

    /** The instances of each service as last parsed. Most of them are unchanged in the next snapshot of the service. */
    private final Cache<String, List<Instance>> lastParsed =
            Caffeine.newBuilder().maximumSize(100_000).build();

    public Registry(
            SnapshotCache cache,
            ChangeFeed feed,
            ChangeBus bus,
            Leases leases,
            LeaseBeats beats,
            Protection protection,
            Ids ids,
            InstantSource clock) {
        this.cache = cache;
        this.feed = feed;
        this.bus = bus;
        this.leases = leases;
        this.beats = beats;
        this.protection = protection;
        this.ids = ids;
        this.clock = clock;
    }

    /** Returns the state of mass expiry: held back or not. */
    Protection protection() {
        return protection;
    }

    /** The instances of a service sorted by id, the healthy ones among them, and the snapshot that they come from. */
    public record Instances(
            List<Instance> list, Map<String, Instance> byId, List<Instance> healthy, Snapshot snapshot) {
        /** Returns the name of the service. */
        public String serviceName() {
            return snapshot.unit().serviceName();
        }

        @Nullable
        Instance byId(String instanceId) {
            return byId.get(instanceId);
        }

        /** Returns the first instance with this URL, or null. */
        @Nullable
        Instance byUrl(String url) {
            for (Instance instance : list) {
                if (instance.url().equals(url)) {
                    return instance;
                }
            }
            return null;
        }
    }

    public Future<Instances> instances(String serviceName, long minRevision) {
        return Futures.map(cache.get(Instance.unit(serviceName), minRevision), s -> s.view(this::parsed));
    }

    /** Parses the instances of a snapshot. Those unchanged since the last snapshot are not parsed again. */
    private Instances parsed(Snapshot snapshot) {
        String service = snapshot.unit().serviceName();
        List<Instance> before = lastParsed.get(service, s -> List.of());
        List<Instance> instances = new ArrayList<>(snapshot.resources().size());
        int at = 0;
        for (Resource resource : snapshot.resources()) {
            while (at < before.size()
                    && CodePointOrder.INSTANCE.compare(before.get(at).instanceId(), resource.name()) < 0) {
                at++;
            }
            boolean same = at < before.size()
                    && before.get(at).resource().revision() == resource.revision()
                    && before.get(at).instanceId().equals(resource.name());
            instances.add(same ? before.get(at) : Instance.of(resource));
        }
        List<Instance> now = List.copyOf(instances);
        lastParsed.put(service, now);
        return new Instances(
                now,
                now.stream().collect(Collectors.toUnmodifiableMap(Instance::instanceId, i -> i)),
                now.stream().filter(i -> i.status() == Status.HEALTHY).toList(),
                snapshot);
    }

    /** Returns the instances of all services. Fails if one service cannot be read: the result is never incomplete. */
    public Future<List<Instances>> all(long minRevision) {
        List<Future<Instances>> reads = new ArrayList<>();
        for (TouchedUnit touched : feed.touchedUnits()) {
            if (touched.unit().kind().equals(Instance.KIND)) {
                reads.add(instances(touched.unit().serviceName(), minRevision));
            }
        }
        if (!feed.isStarted()) {
            return Future.failedFuture(ServiceException.unavailable("This node has not read the log yet"));
        }
        return Future.all(reads).map(v -> reads.stream().map(Future::result).toList());
    }

    LeaseBeats.Beat beat(Instance instance) {
        return beats.of(instance.key());
    }

    /** A registered instance, and the revision that the registration made; 0 if it was only a heartbeat. */
    record Registered(Instance instance, long revision) {}

    /**
     * Registers an instance. If it is already registered with the same data, the registration counts as a heartbeat.
     *
     * @param row the fields to store, including the status
     */
    Future<Registered> register(String serviceName, String instanceId, ObjectNode row, Origin origin) {
        return instances(serviceName, 0).compose(instances -> {
            Instance known = instances.byId(instanceId);
            if (known != null && sameButTimes(known.row(), row)) {
                return beat(known, known.status(), -1, origin).map(b -> new Registered(b.instance(), b.revision()));
            }
            ObjectNode fresh = row.deepCopy();
            fresh.put("registered_at", Json.time(clock.instant()));
            return bus.write(new Command.Put(
                            ids.next(),
                            Instance.KIND,
                            Instance.id(serviceName, instanceId),
                            "",
                            serviceName,
                            instanceId,
                            Json.write(fresh),
                            Action.REGISTERED,
                            origin))
                    .compose(written -> {
                        Instance instance = Instance.of(written.resource());
                        note(instance, -1);
                        return reached(leases.renew(instance.holder(), false))
                                .compose(result -> settle(instance, instance.status(), result, origin))
                                .map(i -> new Registered(i, written.revision()));
                    });
        });
    }

    private static boolean sameButTimes(ObjectNode a, ObjectNode b) {
        for (String field :
                List.of("service_url", "health_check_url", "metadata", "status", "lease_seconds", "registered_by")) {
            if (!String.valueOf(a.get(field)).equals(String.valueOf(b.get(field)))) {
                return false;
            }
        }
        return true;
    }

    /** An instance, the heartbeat that it has just sent, and the revision that the heartbeat made; 0 if it made none. */
    record Beaten(Instance instance, LeaseBeats.Beat beat, long revision) {}

    /**
     * Takes a heartbeat. Its status always wins: if the log has a different status, or if the lease had expired, the
     * status is written to the log.
     *
     * @param responseTime the response time in milliseconds; -1 if none was given
     */
    Future<Beaten> beat(Instance instance, Status status, double responseTime, Origin origin) {
        LeaseBeats.Beat beat = note(instance, responseTime);
        return reached(leases.beat(instance.holder(), instance.status() != status))
                .compose(result -> settle(instance, status, result, origin))
                .map(now -> {
                    long revision = now.resource().revision();
                    return new Beaten(now, beat, revision == instance.resource().revision() ? 0 : revision);
                });
    }

    private static Future<LeaseResult> reached(Future<LeaseResult> renewal) {
        return renewal.recover(e ->
                Future.failedFuture(ServiceException.unavailable("The leases are unreachable; retry the request")));
    }

    private LeaseBeats.Beat note(Instance instance, double responseTime) {
        String key = instance.key();
        double known = responseTime < 0 ? beats.of(key).responseTime() : responseTime;
        LeaseBeats.Beat beat = new LeaseBeats.Beat(clock.millis(), known);
        beats.note(key, beat);
        return beat;
    }

    /** Writes the status of a heartbeat to the log, if the result of the lease step requires it. */
    private Future<Instance> settle(Instance instance, Status status, LeaseResult result, Origin origin) {
        if (!(result instanceof LeaseResult.Decided decided)) {
            return Future.succeededFuture(instance);
        }
        long generation = decided.generation();
        return setStatus(instance.resource().id(), status, null, Action.STATUS_CHANGED, generation, origin)
                .compose(written -> {
                    Instance now = Instance.of(written.resource());
                    // the log has a later decision than the lease, but the status of a heartbeat wins anyway
                    return now.resource().fence() > generation && now.status() != status
                            ? reached(leases.renew(now.holder(), true))
                                    .compose(again -> settle(now, status, again, origin))
                            : Future.succeededFuture(now);
                });
    }

    /**
     * Writes the status that an active check found. This does not renew the lease, and has no effect if the lease has
     * expired or is lost.
     */
    public Future<Void> judge(Instance instance, Status status) {
        return leases.judge(instance.holder())
                .compose(result -> result instanceof LeaseResult.Decided decided
                        ? setStatus(
                                        instance.resource().id(),
                                        status,
                                        status == Status.UNHEALTHY ? instance.status() : null,
                                        Action.STATUS_CHANGED,
                                        decided.generation(),
                                        Origin.SYSTEM)
                                .mapEmpty()
                        : Future.succeededFuture());
    }

    private Future<WriteResult> setStatus(
            String id, Status status, @Nullable Status takenOutOf, Action action, long generation, Origin origin) {
        return bus.write(new Command.Update(
                ids.next(),
                Instance.KIND,
                id,
                Json.write(Json.object()
                        .put("status", status.text())
                        .put(Instance.TAKEN_OUT_OF, takenOutOf == null ? null : takenOutOf.text())),
                Sealed.NONE,
                null,
                action,
                generation,
                origin));
    }

    /**
     * Writes that a lease expired. The first time, the instance becomes unhealthy.
     *
     * @param removal whether the lease expired a second time, so that the instance is removed
     */
    Future<WriteResult> expired(String serviceName, String instanceId, long generation, boolean removal) {
        String id = Instance.id(serviceName, instanceId);
        if (!removal) {
            return setStatus(id, Status.UNHEALTHY, null, Action.EXPIRED, generation, Origin.SYSTEM);
        }
        return bus.write(new Command.Delete(
                ids.next(), Instance.KIND, id, null, Action.DEREGISTERED, generation, Origin.SYSTEM));
    }

    /** Removes an instance. Fails with {@link ErrorCode#NOT_FOUND} if it does not exist. */
    Future<Long> deregister(Instance instance, Origin origin) {
        return bus.write(new Command.Delete(
                        ids.next(), Instance.KIND, instance.resource().id(), null, Action.DEREGISTERED, null, origin))
                .compose(written -> {
                    // a repeated request returns what the first one removed, which may differ from the current instance
                    Resource gone = written.resource();
                    String key = LeaseHolder.key(gone.serviceName(), gone.name());
                    beats.forget(key);
                    return leases.remove(key).map(written.revision());
                });
    }
}
