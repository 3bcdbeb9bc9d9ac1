package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.hazelcast.config.Config;
import dev.configservice.json.Json;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.UnitId;
import dev.configservice.secret.ClusterMac;
import dev.configservice.secret.Sealed;
import dev.configservice.settings.Settings;
import dev.configservice.testing.GridBytes;
import dev.configservice.testing.Releases;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Snapshots in the grid as earlier releases wrote them, with their authentication codes: this one reads them. */
class GridSamplesTest {
    private static final String NAME = "grid-snapshots.json";

    private static Snapshot snapshot(int size) {
        UnitId unit = new UnitId("configuration", "production", "shop");
        List<Resource> resources = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            resources.add(new Resource(
                    unit.kind(),
                    "id-" + i,
                    unit.environment(),
                    unit.serviceName(),
                    "key." + i,
                    i + 1,
                    100 + i,
                    i,
                    ResourceRow.of("{\"value\":\"ü" + i + "\"}"),
                    Sealed.of(new byte[i % 3])));
        }
        return Snapshot.of(unit, new Position(1, 500), 100 + size, resources);
    }

    @Test
    void snapshotsOfEarlierReleasesAreRead() {
        Config config = new Config();
        SnapshotSeal seal = new SnapshotSeal(
                new ClusterMac("release", "snapshots", List.of("the-secret-of-samples")), new SimpleMeterRegistry());
        NearCache.configure(config, Settings.load(Map.of(), true).cache(), seal);
        GridBytes grid = new GridBytes(config);
        if (Releases.isMaking()) {
            Releases.keep(
                    NAME,
                    Json.object()
                                    .put("small", grid.write(snapshot(3)))
                                    .put("long", grid.write(snapshot(200)))
                                    .put("offer", grid.write(new NearCache.Offer(snapshot(3))))
                                    .toPrettyString()
                            + "\n");
        }
        assertThat(Releases.all()).isNotEmpty();
        for (String release : Releases.all()) {
            var kept = Json.read(Releases.sample(release, NAME));
            for (var sample :
                    Map.of("small", snapshot(3), "long", snapshot(200)).entrySet()) {
                Snapshot read = grid.read(kept.get(sample.getKey()).asText(), Snapshot.class);
                assertThat(read.resources())
                        .as(release)
                        .containsExactlyElementsOf(sample.getValue().resources());
                assertThat(read.unit()).isEqualTo(sample.getValue().unit());
                assertThat(read.asOf()).isEqualTo(sample.getValue().asOf());
                assertThat(read.lastChange()).isEqualTo(sample.getValue().lastChange());
            }
            assertThat(grid.read(kept.get("offer").asText(), NearCache.Offer.class))
                    .as(release)
                    .isNotNull();
        }
    }
}
