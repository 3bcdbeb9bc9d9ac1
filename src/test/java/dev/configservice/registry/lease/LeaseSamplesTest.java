package dev.configservice.registry.lease;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.hazelcast.config.Config;
import dev.configservice.json.Json;
import dev.configservice.testing.GridBytes;
import dev.configservice.testing.Releases;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Leases in the grid and the steps on them, as earlier releases wrote them: this one reads them. */
class LeaseSamplesTest {
    private static final String NAME = "grid-leases.json";

    private static Map<String, Object> objects() {
        LeaseTable table = new LeaseTable();
        table.put("shop/one", new Lease(1_000_000, 30_000, 7, false));
        table.put("shop/two", new Lease(2_000_000, 60_000, 8, true));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("table", table);
        all.put(
                "steps",
                new LeaseSteps(List.of(
                        new LeaseStep.Beat("shop/one", 30_000, 7, true),
                        new LeaseStep.Expire("shop/two"),
                        new LeaseStep.Restore("shop/two", 9, 10, true))));
        all.put(
                "results",
                new LeaseResults(List.of(LeaseResult.SILENT, new LeaseResult.Decided(3), new LeaseResult.Removed(4))));
        all.put("query", LeaseQuery.overdue());
        return all;
    }

    @Test
    void leasesAndStepsOfEarlierReleasesAreRead() {
        Config config = new Config();
        config.getSerializationConfig()
                .getCompactSerializationConfig()
                .addSerializer(new LeaseTable.Serializer())
                .addSerializer(new LeaseSteps.Serializer())
                .addSerializer(new LeaseResults.Serializer())
                .addSerializer(new LeaseQuery.Serializer());
        GridBytes grid = new GridBytes(config);
        ObjectNode now = Json.object();
        objects().forEach((name, object) -> now.put(name, grid.write(object)));
        if (Releases.isMaking()) {
            Releases.keep(NAME, now.toPrettyString() + "\n");
        }
        assertThat(Releases.all()).isNotEmpty();
        for (String release : Releases.all()) {
            JsonNode kept = Json.read(Releases.sample(release, NAME));
            objects().forEach((name, object) -> {
                Object read = grid.read(kept.get(name).asText(), object.getClass());
                // what was read is written as the same object is now
                assertThat(grid.write(read))
                        .as(release + " " + name)
                        .isEqualTo(now.get(name).asText());
            });
        }
    }
}
