package dev.configservice.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
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
import dev.configservice.log.SortedResources;
import dev.configservice.log.WriteResult;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.registry.lease.LeaseHolder;
import dev.configservice.registry.lease.LeaseResult;
import dev.configservice.registry.lease.Leases;
import dev.configservice.secret.Sealed;
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
    /** The number of times that an entry of metadata is written over what others have written meanwhile. */
    private static final int DESCRIBE_TRIES = 20;

    private final SnapshotCache cache;
    private final ChangeFeed feed;
    private final ChangeBus bus;
    private final Leases leases;
    private final LeaseBeats beats;
    private final Protection protection;
    private final Ids ids;
    private final InstantSource clock;

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

    /**
     * The instances of a service sorted by id, the healthy ones among them with their shares, their JSON, and the snapshot
     * that they come from.
     */
    public record Instances(
            List<Instance> list,
            Map<String, Instance> byId,
            List<Instance> healthy,
            Shares shares,
            ShownInstances shown,
            Snapshot snapshot) {
        /** Returns the name of the service. */
        public String serviceName() {
            return snapshot.unit().serviceName();
        }

        /** Returns the instance with this id, or null. */
        public @Nullable Instance byId(String instanceId) {
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
        return Futures.map(
                cache.get(Instance.unit(serviceName), minRevision), s -> s.view(Instances.class, Registry::parsed));
    }

    /** The instances of a part of a snapshot, sorted by id. */
    private record Parsed(List<Instance> list) {}

    private static Instances parsed(Snapshot snapshot) {
        List<Instance> now = new ArrayList<>(snapshot.resources().size());
        for (SortedResources.Part part : snapshot.resources().parts()) {
            now.addAll(part.view(
                            Parsed.class,
                            resources -> new Parsed(
                                    resources.stream().map(Instance::of).toList()))
                    .list());
        }
        List<Instance> healthy =
                now.stream().filter(i -> i.status() == Status.HEALTHY).toList();
        return new Instances(
                List.copyOf(now),
                now.stream().collect(Collectors.toUnmodifiableMap(Instance::instanceId, i -> i)),
                healthy,
                Shares.of(healthy),
                new ShownInstances(),
                snapshot);
    }

    /** Returns the instances of all services. Fails if one service cannot be read: the result is never incomplete. */
    public Future<List<Instances>> all(long minRevision) {
        if (!feed.isStarted()) {
            return Future.failedFuture(ServiceException.unavailable("This node has not read the log yet"));
        }
        List<Future<Instances>> reads = new ArrayList<>();
        for (TouchedUnit touched : feed.touchedUnits()) {
            if (touched.unit().kind().equals(Instance.KIND)) {
                reads.add(instances(touched.unit().serviceName(), minRevision));
            }
        }
        return Future.all(reads).map(v -> reads.stream().map(Future::result).toList());
    }

    /** Returns the last heartbeat of an instance. */
    public LeaseBeats.Beat beat(Instance instance) {
        return beats.of(instance.key());
    }

    /** A registered instance, and the revision that the registration made; 0 if it was only a heartbeat. */
    public record Registered(Instance instance, long revision) {}

    /**
     * Registers an instance. If it is already registered with the same data, the registration counts as a heartbeat.
     *
     * @return a future that fails with {@link ErrorCode#LAYER_FULL} if the service has no room for another
     */
    public Future<Registered> register(Registration registration, Origin origin) {
        String serviceName = registration.serviceName();
        String instanceId = registration.instanceId();
        ObjectNode row = registration.row();
        return instances(serviceName, 0).compose(instances -> {
            Instance known = instances.byId(instanceId);
            // written and read, as the known one was: two kinds of numbers are never equal
            if (known != null && isSame(known.row(), Json.readObject(Json.write(row)))) {
                return beat(known, known.said(), -1, origin).map(b -> new Registered(b.instance(), b.revision()));
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
                        return leased(instance, origin).map(i -> new Registered(i, written.revision()));
                    });
        });
    }

    /** Gives an instance that was just registered its lease, or takes it away if it is permanent. */
    private Future<Instance> leased(Instance instance, Origin origin) {
        return instance.isPermanent()
                ? leases.remove(instance.key(), Long.MAX_VALUE).map(instance)
                : reached(leases.renew(instance.holder(), false))
                        .compose(result -> settle(instance, instance.said(), result, origin.withoutKey()));
    }

    /**
     * Tells whether a registration says what is known. The sender does not count: through two proxies, one instance has
     * two addresses.
     */
    private static boolean isSame(ObjectNode known, ObjectNode given) {
        for (String field : List.of(
                "service_url",
                "health_check_url",
                "metadata",
                "weight",
                "permanent",
                "lease_seconds",
                Instance.REMOVE_AFTER,
                Instance.SAID,
                Instance.FOREIGN)) {
            if (!known.path(field).equals(given.path(field))) {
                return false;
            }
        }
        return true;
    }

    /** An instance, the heartbeat that it has just sent, and the revision that the heartbeat made; 0 if it made none. */
    public record Beaten(Instance instance, LeaseBeats.Beat beat, long revision) {}

    /**
     * Takes a heartbeat. If the instance says something else than before, or if its lease had expired, that is written
     * to the log.
     *
     * @param responseTime the response time in milliseconds; -1 if none was given
     */
    public Future<Beaten> beat(Instance instance, Status status, double responseTime, Origin origin) {
        LeaseBeats.Beat beat = note(instance, responseTime);
        boolean decides = instance.said() != status || instance.isExpired();
        Future<Instance> settled = instance.isPermanent()
                ? (decides
                        ? update(instance, said(status), Action.STATUS_CHANGED, null, origin)
                        : Future.succeededFuture(instance))
                : reached(leases.beat(instance.holder(), decides))
                        .compose(result -> settle(instance, status, result, origin));
        return settled.map(now -> {
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
        LeaseBeats.Beat beat = beats.of(key).next(clock.millis(), responseTime);
        beats.note(key, beat);
        return beat;
    }

    private static ObjectNode said(Status status) {
        return Json.object().put(Instance.SAID, status.text()).put(Instance.EXPIRED, false);
    }

    /** Writes the status of a heartbeat to the log, if the result of the lease step requires it. */
    private Future<Instance> settle(Instance instance, Status status, LeaseResult result, Origin origin) {
        if (!(result instanceof LeaseResult.Decided decided)) {
            return Future.succeededFuture(instance);
        }
        long generation = decided.generation();
        return update(instance, said(status), Action.STATUS_CHANGED, generation, origin)
                .compose(now -> {
                    // the log has a later decision than the lease, but what a heartbeat says wins anyway
                    return now.resource().fence() > generation && (now.said() != status || now.isExpired())
                            ? reached(leases.renew(now.holder(), true))
                                    .compose(again -> settle(now, status, again, origin.withoutKey()))
                            : Future.succeededFuture(now);
                });
    }

    /** Writes whether active checks of an instance fail. */
    public Future<Void> judge(Instance instance, boolean isFailing) {
        return update(
                        instance,
                        Json.object().put(Instance.CHECK_FAILING, isFailing),
                        Action.STATUS_CHANGED,
                        null,
                        Origin.SYSTEM)
                .mapEmpty();
    }

    /** Sets the status that holds against heartbeats, checks and registrations; null takes it away. */
    public Future<Instance> override(Instance instance, @Nullable Status status, Origin origin) {
        ObjectNode fields = Json.object();
        if (status == null) {
            fields.putNull(Instance.OVERRIDE);
        } else {
            fields.putObject(Instance.OVERRIDE)
                    .put("status", status.text())
                    .put("comment", origin.comment())
                    .put("set_at", Json.time(clock.instant()))
                    .set("set_by", origin.actor().toJson());
        }
        return update(instance, fields, Action.STATUS_CHANGED, null, origin);
    }

    /** Replaces the fields that an instance gave in the form of another system. */
    public Future<Instance> keepForeign(Instance instance, ObjectNode foreign, Origin origin) {
        return update(instance, Json.object().set(Instance.FOREIGN, foreign), Action.STATUS_CHANGED, null, origin);
    }

    /** Sets entries of the metadata of an instance, and leaves the others. */
    public Future<Instance> describe(Instance instance, Map<String, String> entries, Origin origin) {
        return describe(instance, entries, origin, DESCRIBE_TRIES);
    }

    private Future<Instance> describe(Instance instance, Map<String, String> entries, Origin origin, int tries) {
        ObjectNode metadata = instance.metadata().deepCopy();
        entries.forEach(metadata::put);
        return bus.write(new Command.Update(
                        ids.next(),
                        Instance.KIND,
                        instance.resource().id(),
                        Json.write(Json.object().set("metadata", metadata)),
                        Sealed.NONE,
                        List.of(instance.resource().revision()),
                        Action.STATUS_CHANGED,
                        null,
                        origin))
                .map(written -> Instance.of(written.resource()))
                .recover(e -> {
                    boolean hasChanged =
                            e instanceof ServiceException refused && refused.code() == ErrorCode.PRECONDITION_FAILED;
                    return hasChanged && tries > 1
                            ? again(instance, entries, origin, tries - 1, e)
                            : Future.failedFuture(e);
                });
    }

    /** Does the same over the instance as it is now. */
    private Future<Instance> again(
            Instance instance, Map<String, String> entries, Origin origin, int tries, Throwable e) {
        return instances(instance.serviceName(), feed.applied().revision()).compose(instances -> {
            Instance now = instances.byId(instance.instanceId());
            return now == null ? Future.failedFuture(e) : describe(now, entries, origin, tries);
        });
    }

    private Future<Instance> update(
            Instance instance, ObjectNode fields, Action action, @Nullable Long generation, Origin origin) {
        return update(instance.resource().id(), fields, action, generation, origin)
                .map(written -> Instance.of(written.resource()));
    }

    private Future<WriteResult> update(
            String id, ObjectNode fields, Action action, @Nullable Long generation, Origin origin) {
        return bus.write(new Command.Update(
                ids.next(), Instance.KIND, id, Json.write(fields), Sealed.NONE, null, action, generation, origin));
    }

    /**
     * Writes that a lease expired. The first time, the instance becomes unhealthy.
     *
     * @param removal whether the lease expired a second time, so that the instance is removed
     */
    Future<WriteResult> expired(String serviceName, String instanceId, long generation, boolean removal) {
        String id = Instance.id(serviceName, instanceId);
        if (!removal) {
            return update(id, Json.object().put(Instance.EXPIRED, true), Action.EXPIRED, generation, Origin.SYSTEM);
        }
        return bus.write(new Command.Delete(
                ids.next(), Instance.KIND, id, null, Action.DEREGISTERED, generation, Origin.SYSTEM));
    }

    /** Removes an instance. Fails with {@link ErrorCode#NOT_FOUND} if it does not exist. */
    public Future<Long> deregister(Instance instance, Origin origin) {
        return bus.write(new Command.Delete(
                        ids.next(), Instance.KIND, instance.resource().id(), null, Action.DEREGISTERED, null, origin))
                .compose(written -> {
                    // a repeated request returns what the first one removed, which may differ from the current instance
                    Resource gone = written.resource();
                    String key = LeaseHolder.key(gone.serviceName(), gone.name());
                    beats.forget(key);
                    // a lease of a later registration stays
                    return leases.remove(key, gone.fence()).map(written.revision());
                });
    }
}
