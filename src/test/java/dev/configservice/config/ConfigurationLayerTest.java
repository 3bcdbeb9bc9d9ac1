package dev.configservice.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.benmanes.caffeine.cache.Cache;
import dev.configservice.json.Json;
import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.secret.Sealed;
import dev.configservice.snapshot.Snapshot;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ConfigurationLayerTest {
    private final Cache<ConfigurationLayer, ConfigurationLayer.Merged> room = ConfigurationLayer.room(1 << 20);

    private static Resource configuration(String service, String key) {
        return new Resource(
                ConfigurationKind.NAME,
                service + "/" + key,
                "e",
                service,
                key,
                1,
                1,
                0,
                ResourceRow.of("{\"value\":\"" + service + "\",\"is_encrypted\":false,\"description\":null}"),
                Sealed.NONE);
    }

    private static ConfigurationLayer layer(String service, List<Resource> resources) {
        return ConfigurationLayer.of(
                Snapshot.of(ConfigurationLayer.unit("e", service), new Position(1, 1), 1, resources));
    }

    @Property(tries = 100)
    void aMergeHoldsEachKeyOnceAndTheOwnOneWins(
            @ForAll long seed, @ForAll @IntRange(max = 600) int own, @ForAll @IntRange(max = 600) int shared) {
        Random random = new Random(seed);
        Map<String, Resource> expected = new TreeMap<>();
        Map<String, Resource> common = new TreeMap<>();
        for (int i = 0; i < shared; i++) {
            common.put("k" + random.nextInt(500), configuration("", "k"));
        }
        common.replaceAll((key, r) -> configuration("", key));
        Map<String, Resource> mine = new TreeMap<>();
        for (int i = 0; i < own; i++) {
            String key = "k" + random.nextInt(500);
            mine.put(key, configuration("s", key));
        }
        expected.putAll(common);
        expected.putAll(mine);
        ConfigurationLayer below = layer("", List.copyOf(common.values()));
        ConfigurationLayer layer = layer("s", List.copyOf(mine.values()));

        List<Resource> merged = new ArrayList<>();
        layer.configurationsOver(below).forEach(c -> merged.add(c.resource()));
        List<String> keys = new ArrayList<>();
        Json.read(layer.over(below, room).json().getBytes())
                .forEach(c -> keys.add(c.get("key").textValue() + c.get("value").textValue()));

        assertThat(merged).isEqualTo(List.copyOf(expected.values()));
        assertThat(keys)
                .isEqualTo(expected.values().stream()
                        .map(r -> r.name() + r.serviceName())
                        .toList());
        assertThat(layer.over(below, room)).isSameAs(layer.over(below, room));
    }

    @Test
    void aMergeThatIsKeptKeepsNoLayerAlive() {
        List<WeakReference<ConfigurationLayer>> layers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            ConfigurationLayer shared = layer("", List.of(configuration("", "k" + i)));
            ConfigurationLayer own = layer("s", List.of(configuration("s", "own")));
            own.over(shared, room);
            shared.over(shared, room);
            layers.add(new WeakReference<>(shared));
            layers.add(new WeakReference<>(own));
        }

        await().until(() -> {
            System.gc();
            room.cleanUp();
            return layers.stream().allMatch(l -> l.get() == null) && room.estimatedSize() == 0;
        });
    }
}
