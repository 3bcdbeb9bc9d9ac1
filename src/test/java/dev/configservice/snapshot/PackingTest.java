package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.configservice.log.Position;
import dev.configservice.log.Resource;
import dev.configservice.log.ResourceRow;
import dev.configservice.log.UnitId;
import dev.configservice.secret.Sealed;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class PackingTest {
    private static final UnitId UNIT = new UnitId("configuration", "e", "s");

    private static Resource resource(int number, String row, byte[] sealed) {
        return new Resource(
                "configuration",
                "id-" + number,
                "e",
                "s",
                "key." + number,
                number,
                Long.MAX_VALUE - number,
                number % 3,
                ResourceRow.of(row),
                Sealed.of(sealed));
    }

    @Property(tries = 200)
    void unpackingReturnsTheResourcesThatWerePacked(
            @ForAll @IntRange(max = 300) int count,
            @ForAll @StringLength(max = 200) String text,
            @ForAll @IntRange(max = 40) int secret) {
        List<Resource> resources = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] sealed = new byte[secret];
            new Random(i).nextBytes(sealed);
            // what is not a pair of surrogates cannot be stored, and is not written as it is
            resources.add(resource(i, text.replaceAll("\\p{Cs}", "\uD83D\uDE00"), sealed));
        }

        byte[] packed = Packing.pack(resources);

        assertThat(Packing.unpack(UNIT, packed)).isEqualTo(resources);
    }

    @Test
    void similarRowsArePackedSmall() {
        List<Resource> resources = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            resources.add(resource(i, "{\"value\":\"value-" + i + "\",\"description\":\"one of many\"}", new byte[0]));
        }
        long chars = resources.stream().mapToLong(r -> r.row().length()).sum();

        assertThat(Packing.pack(resources).length).isLessThan((int) (chars / 3));
    }

    @Test
    void whatBecomesLargeIsNotUnpackedWithinALimit() {
        List<Resource> large = List.of(resource(1, "{\"value\":\"" + "y".repeat(1_000_000) + "\"}", new byte[0]));
        byte[] packed = Packing.pack(large);
        assertThat(packed.length).isLessThan(10_000);
        assertThat(Packing.unpack(UNIT, packed, 256 << 10)).isNull();
        assertThat(Packing.unpack(UNIT, packed, 2_000_000)).isEqualTo(large);

        Snapshot snapshot = Snapshot.ofPacked(UNIT, new Position(1, 1), 1, packed);
        assertThat(snapshot.parseIfSmall()).isFalse();
        assertThat(snapshot.packedLength()).isEqualTo(packed.length);
        assertThat(snapshot.resources()).isEqualTo(large);
        assertThat(snapshot.parseIfSmall()).isTrue();
    }

    @Test
    void truncatedDataIsRefused() {
        List<Resource> resources = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            resources.add(resource(i, "{\"value\":\"" + "abc".repeat(i) + "\"}", new byte[0]));
        }
        for (List<Resource> some : List.of(resources, resources.subList(0, 2))) {
            byte[] packed = Packing.pack(some);
            for (int length = 1; length < packed.length - 5; length++) {
                byte[] cut = Arrays.copyOf(packed, length);
                assertThatThrownBy(() -> Packing.unpack(UNIT, cut)).isInstanceOf(UncheckedIOException.class);
            }
        }
    }
}
