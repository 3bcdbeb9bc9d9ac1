package dev.configservice.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import dev.configservice.json.Json;
import dev.configservice.settings.SettingsException;
import dev.configservice.testing.Ports;
import dev.configservice.testing.TestNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Nodes of different releases, and how a node says which one it is. */
class ReleaseTest {
    private static HazelcastInstance member(String cluster, int port, Map<String, String> attributes) {
        Config config = new Config().setClusterName(cluster);
        attributes.forEach(config.getMemberAttributeConfig()::setAttribute);
        config.getNetworkConfig().setPort(port).setPortAutoIncrement(false);
        config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getJoin().getTcpIpConfig().setEnabled(true);
        config.setProperty("hazelcast.partition.count", "271");
        config.setProperty("hazelcast.socket.bind.any", "false");
        config.setProperty("hazelcast.local.localAddress", "127.0.0.1");
        config.setProperty("hazelcast.phone.home.enabled", "false");
        return Hazelcast.newHazelcastInstance(config);
    }

    @Test
    void aNodeDoesNotJoinReleasesThatItDoesNotUnderstand() {
        String next = Integer.toString(Release.FORMATS + 1);
        String now = Integer.toString(Release.FORMATS);
        for (Map<String, String> attributes : List.of(
                Map.<String, String>of(),
                attributes(next, next),
                attributes("a", "b"),
                attributes(Integer.toString(Release.OLDEST_FORMATS - 1), "0"))) {
            assertThatThrownBy(() -> join(attributes))
                    .as(attributes.toString())
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining("an upgrade by way of a release between the two");
        }
        // the next release reads what this one writes
        join(attributes(next, now));
    }

    private static Map<String, String> attributes(String formats, String oldest) {
        return Map.of(
                "config-service.version",
                "9.9.9",
                "config-service.formats",
                formats,
                "config-service.oldest-formats",
                oldest,
                "__vertx.nodeId",
                UUID.randomUUID().toString());
    }

    private static void join(Map<String, String> attributes) {
        String cluster = "release-" + UUID.randomUUID();
        int port = Ports.free();
        HazelcastInstance other = member(cluster, port, attributes);
        try {
            TestNode.start(Map.of(
                            "CS_CLUSTER_NAME", cluster, "CS_CLUSTER_MEMBERS", "127.0.0.1:" + port, "CS_REDIS_URI", ""))
                    .close();
        } finally {
            other.getLifecycleService().terminate();
        }
    }

    @Test
    void aNodeSaysWhichReleaseItIs() {
        TestNode node = TestNode.shared();
        assertThat(Release.version()).matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
        assertThat(Json.readObject(node.anonymous().get("/health").text())
                        .get("version")
                        .asText())
                .isEqualTo(Release.version());
        assertThat(node.anonymous().get("/metrics").text())
                .containsPattern(
                        "config_service_build_info\\{cluster=\"test-[^}]*version=\"" + Release.version() + "\"");
    }
}
