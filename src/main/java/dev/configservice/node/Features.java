package dev.configservice.node;

import dev.configservice.cluster.Grid;
import dev.configservice.cluster.KeyAnnouncements;
import dev.configservice.cluster.NodeStatus;
import dev.configservice.config.ConfigurationKind;
import dev.configservice.config.ConfigurationRoutes;
import dev.configservice.config.Configurations;
import dev.configservice.config.DiffRoutes;
import dev.configservice.config.StoredValues;
import dev.configservice.console.ConsoleRoutes;
import dev.configservice.credential.AccessKeyKind;
import dev.configservice.credential.AccessKeyRoutes;
import dev.configservice.credential.Credentials;
import dev.configservice.credential.KeyUsage;
import dev.configservice.credential.StreamTokens;
import dev.configservice.events.ChangeEvents;
import dev.configservice.events.audit.AccessDenials;
import dev.configservice.events.audit.AuditLog;
import dev.configservice.events.audit.AuditRoutes;
import dev.configservice.events.audit.SecretReads;
import dev.configservice.events.audit.Verifier;
import dev.configservice.events.stream.ChangeRoutes;
import dev.configservice.events.stream.ChangeStreams;
import dev.configservice.facade.consul.ConsulKeys;
import dev.configservice.facade.consul.ConsulRoutes;
import dev.configservice.facade.eureka.EurekaRoutes;
import dev.configservice.facade.ofrep.OfrepEvents;
import dev.configservice.facade.ofrep.OfrepRoutes;
import dev.configservice.facade.spring.SpringRoutes;
import dev.configservice.flag.EvaluationBus;
import dev.configservice.flag.FlagEvaluationVerticle;
import dev.configservice.flag.FlagKind;
import dev.configservice.flag.FlagRoutes;
import dev.configservice.flag.FlagUsage;
import dev.configservice.flag.Flags;
import dev.configservice.flag.LongEvaluations;
import dev.configservice.http.AddressLimit;
import dev.configservice.http.Bodies;
import dev.configservice.http.ByteBudget;
import dev.configservice.http.Forwarder;
import dev.configservice.http.HttpVerticle;
import dev.configservice.http.Routes;
import dev.configservice.http.ServerContext;
import dev.configservice.log.ChangeReader;
import dev.configservice.log.ResourceKind;
import dev.configservice.log.ResourceKinds;
import dev.configservice.ops.ApiDocument;
import dev.configservice.ops.ClusterRoutes;
import dev.configservice.ops.Health;
import dev.configservice.ops.OpsRoutes;
import dev.configservice.registry.Discovery;
import dev.configservice.registry.FleetSize;
import dev.configservice.registry.InstanceKind;
import dev.configservice.registry.Protection;
import dev.configservice.registry.Registry;
import dev.configservice.registry.RegistryRoutes;
import dev.configservice.registry.ServiceIndex;
import dev.configservice.registry.lease.LeaseBeats;
import dev.configservice.registry.lease.Leases;
import dev.configservice.resource.ChangeSetRoutes;
import dev.configservice.resource.ChangeSets;
import dev.configservice.resource.PathWrites;
import dev.configservice.resource.PlaceRoutes;
import dev.configservice.resource.ResourceRoutes;
import dev.configservice.resource.SearchRoutes;
import dev.configservice.resource.VersionedKind;
import dev.configservice.schema.SchemaKind;
import dev.configservice.schema.SchemaSet;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Keyring;
import dev.configservice.settings.Settings;
import dev.configservice.snapshot.NearCache;
import dev.configservice.snapshot.PastSnapshots;
import dev.configservice.snapshot.Resources;
import dev.configservice.snapshot.SnapshotCache;
import dev.configservice.snapshot.SnapshotStore;
import dev.configservice.template.AppliedKind;
import dev.configservice.template.TemplateKind;
import dev.configservice.template.TemplateRoutes;
import dev.configservice.transfer.ExportRoutes;
import dev.configservice.transfer.ImportRoutes;
import dev.configservice.vertx.EventLoops;
import dev.configservice.vertx.Pulses;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.healthchecks.Status;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The features of a node, the same in every role, and their routes. */
final class Features {
    private final NodeParts parts;
    private final NodeStatus status;
    private final AppliedKind appliedKind = new AppliedKind();
    private final EvaluationBus evaluations;
    private final FlagUsage flagUsage;
    private final KeyUsage keyUsage;
    private final SecretReads secretReads;
    private final AccessDenials accessDenials;
    private final LeaseBeats beats;
    private final Protection protection;
    private final Pulses pulses;

    final ResourceKinds kinds;
    final ChangeEvents events;
    final SnapshotCache cache;
    final Resources resources;
    private final PathWrites byPath;
    private final PastSnapshots past;
    final Credentials credentials;
    final ChangeReader reader;
    final ChangeStreams streams;
    final Health health;
    final Leases leases;
    final Registry registry;
    private final Discovery discovery;
    private final ServiceIndex services;
    private final @Nullable EurekaRoutes eureka;
    private final @Nullable ConsulRoutes consul;
    final FleetSize fleet;
    final List<Routes> routes;

    Features(NodeParts parts, Sources sources, List<VersionedKind> furtherKinds) {
        this.parts = parts;
        var settings = parts.settings;
        MeterRegistry meters = parts.metrics.registry();
        String environment = settings.config().defaultEnvironment();
        cache = new SnapshotCache(
                parts.vertx,
                parts.feed,
                new NearCache(parts.hazelcast, settings.cache().nearBytes()),
                new SnapshotStore(sources.redis(), parts.seal),
                sources.loader(),
                parts.large,
                sources.held(),
                settings.cache(),
                meters);
        resources = new Resources(cache, sources.loader(), sources.changeLog(), sources.lists(), parts.feed);
        past = new PastSnapshots(
                parts.vertx,
                sources.lists(),
                parts.feed,
                parts.clock,
                settings.cache().readBytes(),
                meters);
        byPath = new PathWrites(parts.vertx, resources, parts.bus, parts.ids);
        keyUsage = new KeyUsage(parts.vertx, sources.postgres(), sources.keyUsage(), parts.ids::next);
        credentials = new Credentials(parts.vertx, settings.access(), cache, parts.feed, keyUsage, parts.clock, meters);
        flagUsage = new FlagUsage(
                parts.vertx, sources.postgres(), sources.flagUsage(), parts.ids::next, parts.clock, meters);
        secretReads = new SecretReads(parts.vertx, sources.secretReads(), parts.ids, parts.clock, meters);
        accessDenials = new AccessDenials(parts.vertx, sources.accessDenials(), parts.ids, parts.clock);
        evaluations = new EvaluationBus(parts.vertx);
        ConfigurationKind configurationKind = new ConfigurationKind(
                parts.keyring,
                secretReads::note,
                new SchemaSet(),
                settings.config().layerMaxBytes());
        SchemaKind schemaKind = new SchemaKind(new StoredValues(resources, parts.clock));
        FlagKind flagKind = new FlagKind(environment, settings.flags().environmentMaxBytes());
        TemplateKind templateKind = new TemplateKind(configurationKind, flagKind);
        List<VersionedKind> versioned =
                new ArrayList<>(List.of(configurationKind, flagKind, schemaKind, templateKind, appliedKind));
        versioned.addAll(furtherKinds);
        List<ResourceKind> all = new ArrayList<>(versioned);
        fleet = new FleetSize(parts.vertx, sources.lists(), settings.registry().maxBytes(), meters);
        all.add(new InstanceKind(settings.registry().serviceMaxBytes(), fleet));
        all.add(new AccessKeyKind());
        kinds = new ResourceKinds(all);
        events = new ChangeEvents(kinds);
        leases = new Leases(parts.vertx, parts.hazelcast, parts.leaseClock);
        beats = new LeaseBeats(parts.vertx, () -> !Grid.isAlone(parts.hazelcast));
        protection = new Protection(parts.vertx);
        registry = new Registry(cache, parts.feed, parts.bus, leases, beats, protection, parts.ids, parts.clock);
        reader = new ChangeReader(parts.feed, sources.past());
        discovery = new Discovery(registry, parts.clock);
        services = new ServiceIndex(parts.feed);
        eureka = settings.facades().eureka()
                ? new EurekaRoutes(registry, discovery, services, parts.feed, reader, parts.clock)
                : null;
        streams = new ChangeStreams(
                parts.vertx,
                parts.bus,
                parts.feed,
                reader,
                events,
                credentials,
                settings.changes(),
                parts.clock,
                meters);
        consul = settings.facades().consul() ? consul(settings) : null;
        status = new NodeStatus(parts.vertx, parts.hazelcast, this::state);
        pulses = new Pulses(credentials::probe);
        health = new Health(parts.vertx, parts.feed, sources.name(), sources.redis(), parts.state, pulses);
        if (parts.keyring.isPresent()) {
            health.register(
                    "secrets", () -> Future.succeededFuture(parts.keyring.isMissingKeys() ? Status.KO() : Status.OK()));
        }
        Gauge.builder("config_service_secrets_missing_keys", parts.keyring, k -> k.isMissingKeys() ? 1 : 0)
                .description("1 while this node finds encrypted values whose key it does not have, otherwise 0")
                .register(meters);
        FunctionCounter.builder("config_service_secrets_unreadable", parts.keyring, Keyring::unreadable)
                .description("Encrypted values that could not be opened because this node does not have their key")
                .register(meters);
        routes = routes(sources, environment, configurationKind, flagKind, templateKind, versioned);
    }

    /** Returns the state of this node, for others. */
    private JsonObject state() {
        return new JsonObject()
                .put("revision", parts.feed.applied().revision())
                .put("epoch", parts.feed.applied().epoch())
                .put("stale_seconds", parts.feed.staleness().toSeconds())
                .put("streams", (long) streams.count());
    }

    private ConsulRoutes consul(Settings settings) {
        return new ConsulRoutes(
                registry,
                discovery,
                streams,
                parts.feed,
                new ConsulRoutes.Options(
                        settings.cluster().name(),
                        settings.facades().consulDatacenter(),
                        parts.hazelcast
                                .getCluster()
                                .getLocalMember()
                                .getAddress()
                                .getHost(),
                        settings.registry().activeChecks(),
                        settings.registry().allowPermanent()));
    }

    private List<Routes> routes(
            Sources sources,
            String environment,
            ConfigurationKind configurationKind,
            FlagKind flagKind,
            TemplateKind templateKind,
            List<VersionedKind> versioned) {
        MeterRegistry meters = parts.metrics.registry();
        Configurations configurations = new Configurations(
                cache, parts.large, environment, parts.settings.cache().mergedBytes(), meters);
        List<Routes> features = new ArrayList<>(List.of(
                new ChangeRoutes(parts.feed, reader, streams, events),
                new RegistryRoutes(
                        registry,
                        discovery,
                        sources.changeLog(),
                        parts.settings.registry().allowPermanent(),
                        meters),
                new AuditRoutes(
                        new AuditLog(sources.lists(), kinds),
                        new Verifier(sources.lists(), parts.logMac, parts.keyring),
                        parts.feed,
                        parts.clock,
                        events),
                new AccessKeyRoutes(
                        cache,
                        resources,
                        parts.bus,
                        parts.ids,
                        keyUsage,
                        parts.clock,
                        parts.settings.access().tokenKeyMaxAge()),
                new ConfigurationRoutes(configurations, resources, past, configurationKind, byId(configurationKind)),
                new FlagRoutes(
                        new Flags(evaluations, environment), resources, past, flagUsage, flagKind, byId(flagKind))));
        if (parts.settings.facades().ofrep()) {
            StreamTokens tokens = new StreamTokens(
                    credentials,
                    new ClusterMac(parts.settings.cluster().name(), "stream-tokens", parts.settings.clusterSecrets()),
                    parts.clock);
            features.add(new OfrepRoutes(
                    new Flags(evaluations, environment),
                    parts.feed,
                    new OfrepEvents(
                            streams, parts.feed, tokens, parts.settings.http().publicPath(), parts.clock)));
        }
        if (parts.settings.facades().spring()) {
            features.add(new SpringRoutes(configurations, configurationKind, parts.feed, parts.settings.spring()));
        }
        if (eureka != null) {
            features.add(eureka);
        }
        if (consul != null) {
            features.add(consul);
            features.add(new ConsulKeys(
                    configurations,
                    configurationKind,
                    byPath,
                    streams,
                    parts.feed,
                    parts.settings.spring().baseEnvironment(),
                    parts.settings.facades().consulKeysEnvironment()));
        }
        versioned.stream()
                .filter(kind -> kind != configurationKind && kind != flagKind && kind != templateKind)
                .filter(kind -> !kind.isInternal())
                .forEach(kind -> features.add(byId(kind)));
        features.add(new PlaceRoutes(sources.lists()));
        features.add(new SearchRoutes(parts.vertx, versioned, resources, sources.lists(), meters));
        features.add(new DiffRoutes(configurationKind, past));
        ChangeSetRoutes sets = new ChangeSetRoutes(
                versioned,
                new ChangeSets(parts.vertx, resources, byPath, parts.bus, parts.ids, meters),
                sources.changeLog(),
                past,
                parts.ids);
        List<VersionedKind> documented = List.of(configurationKind, flagKind);
        features.add(sets);
        String issuer = parts.settings.access().jwtIssuer();
        features.add(new ConsoleRoutes(
                parts.settings.console(), parts.settings.http().publicPath(), issuer.isEmpty() ? null : issuer));
        features.add(new ClusterRoutes(status, parts.settings.shown()));
        features.add(new TemplateRoutes(templateKind, appliedKind, byId(templateKind), sets, resources));
        features.add(new ExportRoutes(documented, past, parts.feed));
        features.add(new ImportRoutes(documented, past, parts.feed, sets, resources, parts.keyring));
        features.add(new OpsRoutes(
                parts.vertx,
                health,
                new ApiDocument(versioned, features),
                parts.metrics.registry(),
                parts.settings.http().publicPath()));
        return List.copyOf(features);
    }

    private ResourceRoutes byId(VersionedKind kind) {
        return new ResourceRoutes(kind, resources, past, parts.bus, parts.ids, byPath);
    }

    /**
     * Starts to follow the log. Must be called before any other part of the node follows it.
     *
     * @param sources the sources that the features were created with
     */
    void follow(Sources sources) {
        cache.start();
        resources.start();
        streams.start();
        parts.metrics.follow(parts.feed);
        parts.metrics.members(() -> parts.hazelcast.getCluster().getMembers().size());
        beats.start();
        services.start();
        if (eureka != null) {
            eureka.start();
        }
        if (consul != null) {
            consul.start();
        }
        protection.start();
        keyUsage.start();
        flagUsage.start();
        secretReads.start();
        accessDenials.start();
        credentials.start();
        status.start();
        new KeyAnnouncements(parts.vertx, parts.hazelcast, parts.keyring, sources.postgres()).start();
    }

    /** Starts to delete old flag usage counts. Must be called only on nodes with a database. */
    void clean() {
        flagUsage.startCleaning();
    }

    /** Starts to answer requests. */
    NodeServer serve(Forwarder forwarder) {
        LongEvaluations longEvaluations = new LongEvaluations(parts.vertx, parts.metrics.registry());
        Lifecycle.await(EventLoops.deployOnEach(
                parts.vertx, () -> new FlagEvaluationVerticle(evaluations, cache, flagUsage, longEvaluations)));
        ServerContext context = new ServerContext(
                credentials,
                parts.feed,
                parts.ids,
                parts.state,
                ByteBudget.ofBodies(parts.metrics.registry()),
                ByteBudget.ofAnswers(parts.metrics.registry()),
                Bodies.turns(parts.vertx, parts.metrics.registry()),
                AddressLimit.ofConnections(parts.settings.http().maxConnectionsPerAddress(), parts.metrics.registry()),
                AddressLimit.ofStreams(parts.settings.http().maxStreamsPerAddress(), parts.metrics.registry()),
                pulses,
                parts.settings.access().isDefaultKey(),
                accessDenials::note,
                parts.metrics.registry());
        NodeServer server = new NodeServer();
        server.start(
                parts.vertx,
                parts.settings.http(),
                () -> new HttpVerticle(parts.settings.http(), routes, forwarder, context));
        return server;
    }

    /** Writes all counts and records that have not been written yet. */
    Future<Void> writeBatches() {
        return Future.join(secretReads.write(), flagUsage.write(), keyUsage.write(), accessDenials.write())
                .mapEmpty();
    }
}
