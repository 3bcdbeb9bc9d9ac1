package dev.configservice.cluster;

import com.hazelcast.cluster.Member;
import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.cluster.MembershipListener;
import com.hazelcast.config.Config;
import com.hazelcast.config.JoinConfig;
import com.hazelcast.config.NetworkConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import dev.configservice.settings.ClusterSettings;
import dev.configservice.settings.SettingsException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxBuilder;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.metrics.MetricsOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.spi.VertxMetricsFactory;
import io.vertx.core.spi.VertxTracerFactory;
import io.vertx.spi.cluster.hazelcast.ConfigUtil;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** This node's member of the Hazelcast cluster. */
public final class Grid {
    /** The attribute of a member by which Vert.x identifies its node. */
    static final String NODE_ID = "__vertx.nodeId";

    /** The attributes of a member that say which release it is, and which formats it shares with others. */
    static final String VERSION = "config-service.version";

    private static final String FORMATS = "config-service.formats";
    private static final String OLDEST_FORMATS = "config-service.oldest-formats";

    private Grid() {}

    /**
     * Starts the member and joins the others. Blocks.
     *
     * @param grace the time in which a node must stop; the member takes at most half of it to hand over its data
     * @param maps adds the maps that features need
     * @throws SettingsException if the port is taken, if an edge finds no core node, or if the cluster has a node whose
     *     release does not understand this one
     */
    public static HazelcastInstance start(ClusterSettings settings, Duration grace, Consumer<Config> maps) {
        requireFree(settings);
        JavaSerialization.turnOff();
        System.setProperty("hazelcast.logging.type", "slf4j");
        // this default configuration has maps that Vert.x needs
        Config config = ConfigUtil.loadConfig();
        config.setClusterName(settings.name());
        config.setLiteMember(settings.isEdge());
        config.getMemberAttributeConfig()
                .setAttribute(NODE_ID, UUID.randomUUID().toString())
                .setAttribute(VERSION, Release.version())
                .setAttribute(FORMATS, Integer.toString(Release.FORMATS))
                .setAttribute(OLDEST_FORMATS, Integer.toString(Release.OLDEST_FORMATS));
        config.setProperty("hazelcast.logging.type", "slf4j");
        config.setProperty("hazelcast.phone.home.enabled", "false");
        config.setProperty("hazelcast.shutdownhook.enabled", "false");
        config.setProperty("hazelcast.map.invalidation.batch.enabled", "false");
        config.setProperty("hazelcast.max.no.heartbeat.seconds", "10");
        config.setProperty("hazelcast.heartbeat.interval.seconds", "1");
        config.setProperty("hazelcast.operation.backup.timeout.millis", "500");
        config.setProperty("hazelcast.merge.first.run.delay.seconds", "5");
        config.setProperty("hazelcast.merge.next.run.delay.seconds", "5");
        // after a network split the oldest member of each half searches for the oldest member of the other half,
        // which may be missing from the configured list of members
        config.setProperty("hazelcast.tcp.join.previously.joined.member.address.retention.seconds", "604800");
        config.setProperty("hazelcast.partition.count", "271");
        config.setProperty("hazelcast.graceful.shutdown.max.wait", Long.toString(Math.max(1, grace.toSeconds() / 2)));
        // by default Hazelcast listens on every address of the machine, even if interfaces are set
        config.setProperty("hazelcast.socket.bind.any", "false");
        config.setProperty("hazelcast.local.localAddress", settings.host());
        NetworkConfig network = config.getNetworkConfig();
        network.setPort(settings.port()).setPortAutoIncrement(settings.port() == 0);
        network.setPublicAddress(settings.port() == 0 ? null : settings.host() + ":" + settings.port());
        JoinConfig join = network.getJoin();
        join.getAutoDetectionConfig().setEnabled(false);
        join.getMulticastConfig().setEnabled(false);
        if (settings.isKubernetes()) {
            // by DNS only, which needs no rights for the Kubernetes API
            join.getKubernetesConfig()
                    .setEnabled(true)
                    .setProperty("service-dns", settings.kubernetesDns())
                    .setProperty("service-port", Integer.toString(settings.port()));
        } else {
            join.getTcpIpConfig().setEnabled(true);
            settings.members().forEach(join.getTcpIpConfig()::addMember);
        }
        config.getMetricsConfig().setEnabled(false);
        config.getJetConfig().setEnabled(false);
        maps.accept(config);
        HazelcastInstance hazelcast = Hazelcast.newHazelcastInstance(config);
        for (Member member : hazelcast.getCluster().getMembers()) {
            if (!fits(member)) {
                hazelcast.shutdown();
                throw new SettingsException("cluster.members: " + member.getAddress() + " is release "
                        + member.getAttribute(VERSION) + ", whose formats this release " + Release.version()
                        + " does not share (expected: an upgrade by way of a release between the two)");
            }
        }
        if (settings.isEdge() && hazelcast.getCluster().getMembers().stream().allMatch(Member::isLiteMember)) {
            hazelcast.shutdown();
            throw new SettingsException("cluster.members: " + String.join(",", settings.members())
                    + " (expected: reachable core nodes; an edge does not start without them)");
        }
        return hazelcast;
    }

    private static boolean fits(Member member) {
        String formats = member.getAttribute(FORMATS);
        String oldest = member.getAttribute(OLDEST_FORMATS);
        try {
            return Release.fits(Integer.parseInt(formats), Integer.parseInt(oldest));
        } catch (NumberFormatException e) {
            // not a node of this service, or one that says nothing of its formats
            return false;
        }
    }

    /** Tells whether the cluster has no other member. */
    public static boolean isAlone(HazelcastInstance hazelcast) {
        return hazelcast.getCluster().getMembers().size() == 1;
    }

    /** Returns the id of this node in the cluster. */
    public static String nodeId(HazelcastInstance hazelcast) {
        return nodeId(hazelcast.getCluster().getLocalMember());
    }

    /**
     * Returns the id of a member's node, which stays the same while its process lives. Hazelcast's own id changes when
     * two halves of the cluster merge.
     */
    private static String nodeId(Member member) {
        return String.valueOf(member.getAttribute(NODE_ID));
    }

    /** Returns the ids of all nodes in the cluster. */
    static Set<String> nodeIds(HazelcastInstance hazelcast) {
        return hazelcast.getCluster().getMembers().stream().map(Grid::nodeId).collect(Collectors.toSet());
    }

    /** Calls {@code left} with the id of every node that leaves, on a thread of Hazelcast. */
    public static void onLeave(HazelcastInstance hazelcast, Consumer<String> left) {
        hazelcast.getCluster().addMembershipListener(new MembershipListener() {
            @Override
            public void memberAdded(MembershipEvent event) {
                // only nodes that leave are reported
            }

            @Override
            public void memberRemoved(MembershipEvent event) {
                left.accept(nodeId(event.getMember()));
            }
        });
    }

    /** Starts Vert.x on top of the member. Its event bus spans the cluster. */
    public static Future<Vertx> vertx(
            HazelcastInstance hazelcast,
            ClusterSettings settings,
            VertxMetricsFactory metrics,
            MetricsOptions measured,
            @Nullable VertxTracerFactory tracer) {
        EventBusOptions bus = new EventBusOptions().setHost(settings.host()).setPort(settings.busPort());
        if (settings.isTls()) {
            bus.setSsl(true)
                    .setKeyCertOptions(new PemKeyCertOptions()
                            .setCertPath(settings.tlsCertificate())
                            .setKeyPath(settings.tlsKey()))
                    .setTrustOptions(new PemTrustOptions().addCertPath(settings.tlsCa()))
                    .setClientAuth(ClientAuth.REQUIRED);
        }
        VertxOptions options = new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventBusOptions(bus)
                .setMetricsOptions(measured);
        HazelcastClusterManager manager = new HazelcastClusterManager(hazelcast);
        VertxBuilder builder = Vertx.builder();
        if (tracer != null) {
            builder.withTracer(tracer);
        }
        return builder.with(options)
                .withMetrics(metrics)
                .withClusterManager(manager)
                .buildClustered()
                .onSuccess(vertx -> BusRepair.follow(hazelcast, vertx, manager));
    }

    private static void requireFree(ClusterSettings settings) {
        if (settings.port() == 0) {
            return;
        }
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getByName(settings.host()), settings.port()));
        } catch (IOException e) {
            throw new SettingsException("cluster.port: " + settings.host() + ":" + settings.port()
                    + " (expected: a free port on an address of this machine; " + e.getMessage() + ")");
        }
    }
}
