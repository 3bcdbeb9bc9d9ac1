package dev.configservice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.secret.Sealed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SortedResourcesTest {
    private static Resource resource(String name, int version) {
        return new Resource("k", "id-" + name, "e", "s", name, version, version, 0, ResourceRow.of("{}"), Sealed.NONE);
    }

    @Property(tries = 100)
    void itHoldsWhatAMapWouldHoldAfterAnyChanges(
            @ForAll long seed,
            @ForAll @IntRange(max = 2000) int begun,
            @ForAll @IntRange(min = 1, max = 5000) int names) {
        Random random = new Random(seed);
        Map<String, Resource> expected = new TreeMap<>(CodePointOrder.INSTANCE);
        for (int i = 0; i < begun; i++) {
            Resource r = resource(name(random.nextInt(names)), 0);
            expected.put(r.name(), r);
        }
        List<Resource> shuffled = new ArrayList<>(expected.values());
        Collections.shuffle(shuffled, random);
        SortedResources actual = SortedResources.of(shuffled);

        for (int i = 1; i <= 1000; i++) {
            String name = name(random.nextInt(names));
            if (random.nextInt(3) == 0) {
                expected.remove(name);
                actual = actual.without(name);
            } else {
                Resource r = resource(name, i);
                expected.put(name, r);
                actual = actual.with(r);
            }
            assertThat(actual.byName(name)).isEqualTo(expected.get(name));
        }

        List<Resource> list = new ArrayList<>(expected.values());
        List<Resource> iterated = new ArrayList<>();
        actual.iterator().forEachRemaining(iterated::add);
        assertThat(iterated).isEqualTo(list);
        assertThat(actual).hasSize(list.size());
        for (int i = 0; i < list.size(); i++) {
            assertThat(actual.get(i)).isSameAs(list.get(i));
        }
        SortedResources whole = actual;
        assertThatThrownBy(() -> whole.get(list.size())).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(actual.bytes()).isEqualTo(SortedResources.of(list).bytes());
        assertThat(actual.parts()).allSatisfy(p -> assertThat(p.resources()).hasSizeBetween(1, 256));
    }

    /** Names of which some differ only beyond the Basic Multilingual Plane. */
    private static String name(int number) {
        return number % 5 == 0 ? "n\uD83D\uDE00" + number : number % 7 == 0 ? "n\uFFFD" + number : "n" + number;
    }

    @Test
    void aChangeSharesAllPartsButOne() {
        List<Resource> many = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            many.add(resource("key." + i, 1));
        }
        SortedResources before = SortedResources.of(many);
        Set<SortedResources.Part> known = Collections.newSetFromMap(new IdentityHashMap<>());
        known.addAll(before.parts());

        SortedResources after = before.with(resource("key.777", 2));

        assertThat(after.parts().stream().filter(p -> !known.contains(p))).hasSize(1);
        assertThat(before.byName("key.777")).isEqualTo(resource("key.777", 1));
        assertThat(after.without("none").parts()).isEqualTo(after.parts());
    }

    @Test
    void aPartMakesItsViewOnceAndOfOneType() {
        SortedResources.Part part =
                SortedResources.of(List.of(resource("a", 1))).parts().get(0);

        StringBuilder made =
                part.view(StringBuilder.class, r -> new StringBuilder(r.get(0).name()));

        assertThat(part.view(StringBuilder.class, r -> new StringBuilder())).isSameAs(made);
        assertThatThrownBy(() -> part.view(String.class, r -> "")).isInstanceOf(ClassCastException.class);
    }
}
