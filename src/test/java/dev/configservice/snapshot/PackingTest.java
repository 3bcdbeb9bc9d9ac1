package dev.configservice.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PackingTest {
    @Property
    void unpackingReturnsTheJsonThatWasPacked(
            @ForAll @IntRange(max = 20_000) int length, @ForAll long seed, @ForAll boolean alike) {
        byte[] json = new byte[length + 2];
        Random random = new Random(seed);
        for (int i = 0; i < json.length; i++) {
            json[i] = (byte) (alike ? 'a' + i % 7 : random.nextInt());
        }
        json[0] = '[';

        byte[] packed = Packing.pack(json);

        assertThat(Packing.unpack(packed)).isEqualTo(json);
        assertThat(Packing.pack(packed)).isEqualTo(packed);
        assertThat(packed.length).isLessThan(json.length + 64);
        if (alike && length > 2000) {
            assertThat(packed.length).isLessThan(json.length / 10);
        }
    }

    @Test
    void truncatedDataIsRefused() {
        byte[] packed = Packing.pack(("[" + "\"abc\",".repeat(1000)).getBytes(StandardCharsets.UTF_8));
        for (int length = 1; length < packed.length; length++) {
            byte[] cut = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> Packing.unpack(cut)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
