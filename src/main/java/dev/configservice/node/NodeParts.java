package dev.configservice.node;

import com.hazelcast.core.HazelcastInstance;
import dev.configservice.cluster.Grid;
import dev.configservice.cluster.NodeState;
import dev.configservice.edge.CoreBus;
import dev.configservice.log.ChangeBus;
import dev.configservice.log.ChangeFeed;
import dev.configservice.log.Ids;
import dev.configservice.ops.Metrics;
import dev.configservice.ops.Tracing;
import dev.configservice.registry.lease.LeaseClock;
import dev.configservice.registry.lease.Leases;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Keyring;
import dev.configservice.settings.Settings;
import dev.configservice.snapshot.LargeUnits;
import dev.configservice.snapshot.NearCache;
import dev.configservice.snapshot.SnapshotSeal;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts that every node has, in any role: its member of the grid, Vert.x on top of it, and the change feed. */
final class NodeParts {
    private static final Logger log = LoggerFactory.getLogger(NodeParts.class);
    /** The longest time that a caller waits for its write. */
    static final Duration WRITE_DEADLINE = Duration.ofSeconds(5);

    final Settings settings;
    final Lifecycle lifecycle;
    final InstantSource clock = InstantSource.system();
    final Ids ids = new Ids(clock);
    final NodeState state = new NodeState();
    final Metrics metrics;
    final LeaseClock leaseClock = new LeaseClock();
    final SnapshotSeal seal;
    final ClusterMac logMac;
    final Keyring keyring;
    final HazelcastInstance hazelcast;
    final Vertx vertx;
    final ChangeFeed feed;
    final ChangeBus bus;
    final CoreBus cores;
    final LargeUnits large;

    /** Joins the cluster and starts Vert.x. Blocks until both have completed. */
    NodeParts(Settings settings, Function<Settings, Keyring> keyring, Lifecycle lifecycle) {
        this.settings = settings;
        this.metrics = new Metrics(settings.cluster().name());
        this.lifecycle = lifecycle;
        // the member takes longest to start, most of it on one processor
        Future<Keyring> opened = Lifecycle.meanwhile("keyring", () -> keyring.apply(settings));
        Duration grace = settings.shutdown().grace();
        this.seal = new SnapshotSeal(
                new ClusterMac(settings.cluster().name(), "snapshots", settings.clusterSecrets()), metrics.registry());
        this.logMac = logMac(settings);
        this.hazelcast = Grid.start(settings.cluster(), grace, config -> {
            NearCache.configure(config, settings.cache(), seal);
            Leases.configure(config, leaseClock);
        });
        lifecycle.onStop(hazelcast::shutdown);
        this.keyring = Lifecycle.await(opened);
        Tracing tracing = Tracing.start(settings.tracing(), settings.cluster().name());
        if (tracing != null) {
            lifecycle.onStop(tracing);
        }
        this.vertx = Lifecycle.await(Grid.vertx(
                hazelcast,
                settings.cluster(),
                metrics.forVertx(),
                Metrics.FOR_VERTX,
                tracing == null ? null : tracing.factory()));
        lifecycle.onStop(() -> Lifecycle.await(vertx.close(), grace));
        this.large = new LargeUnits(vertx, settings.cache().waitingBytes()).measured(metrics.registry());
        this.feed = new ChangeFeed(vertx);
        this.bus = new ChangeBus(vertx, WRITE_DEADLINE);
        this.cores = new CoreBus(vertx, Grid.nodeId(hazelcast));
        Grid.onLeave(hazelcast, cores::gone);
    }

    /** Returns the key for seals of the log, which the database never sees. */
    static ClusterMac logMac(Settings settings) {
        return new ClusterMac(settings.cluster().name(), "log", settings.clusterSecrets());
    }

    /** Returns the keyring of the settings. With embedded servers, the default is the keyset in their directory. */
    static Keyring keyring(Settings settings) {
        String setting = settings.secrets().keyset();
        return setting.isEmpty() && settings.embedded().enabled()
                ? Keyring.of(Keyring.keptIn(keptKeyset(settings)))
                : Keyring.of(setting);
    }

    /** Returns the same keyring, but creates no keyset: one that differs from the core nodes' keyset is useless. */
    static Keyring existingKeyring(Settings settings) {
        String setting = settings.secrets().keyset();
        Path kept = keptKeyset(settings);
        return setting.isEmpty() && settings.embedded().enabled() && Files.exists(kept)
                ? Keyring.of(kept.toString())
                : Keyring.of(setting);
    }

    private static Path keptKeyset(Settings settings) {
        return settings.embedded().directory().resolve("keyset.json");
    }

    /** Adds the steps of a shutdown: the node announces it, answers for a while, and then undeploys its verticles. */
    void leaveOnStop(Features features) {
        Duration grace = settings.shutdown().grace();
        // must run while connections are still open, because verticles release what they hold through them
        lifecycle.onStop(() -> Lifecycle.await(undeployAll(), grace));
        lifecycle.onStop(() -> Lifecycle.await(features.writeBatches(), Duration.ofSeconds(3)));
        lifecycle.onStop(() -> Lifecycle.await(features.cache.offerWaiting(), Duration.ofSeconds(3)));
        lifecycle.onStop(this::drain);
        lifecycle.onStop(features.streams::close);
        lifecycle.onStop(() -> {
            state.leave();
            cores.leave();
        });
    }

    private Future<Void> undeployAll() {
        return Future.join(vertx.deploymentIDs().stream().map(vertx::undeploy).toList())
                .mapEmpty();
    }

    /** Continues to answer for a while, if there are other nodes that can take over. */
    private void drain() {
        Duration drain = settings.shutdown().drain();
        if (!Grid.isAlone(hazelcast) && !drain.isZero()) {
            log.info("stop.draining millis={}", drain.toMillis());
            Lifecycle.await(vertx.timer(drain.toMillis(), TimeUnit.MILLISECONDS), drain.plusSeconds(1));
        }
    }
}
