package dev.configservice.flag.eval;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.configservice.flag.eval.FlagDefinition.Variant;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.apache.commons.codec.digest.MurmurHash3;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BucketTest {
    private static FlagDefinition flag(String name, String salt, @Nullable Integer rollout, List<Variant> variants) {
        return new FlagDefinition("id", name, true, rollout, Set.of(), List.of(), variants, List.of(), salt, 1);
    }

    private static boolean isOn(FlagDefinition flag, String user) {
        return FlagSet.compile(List.of(flag))
                .evaluate(flag.name(), new EvaluationContext(user, Map.of()))
                .enabled();
    }

    @Property
    void theHashIsMurmurHash3(@ForAll byte[] data) {
        assertThat(Bucket.murmur3(data)).isEqualTo(MurmurHash3.hash32x86(data, 0, data.length, 0));
    }

    @Test
    void bucketsMatchTheTestVectors() throws IOException {
        try (InputStream in = BucketTest.class.getResourceAsStream("/bucketing-vectors.json")) {
            JsonNode vectors = new ObjectMapper().readTree(in).get("vectors");
            assertThat(vectors.size()).isGreaterThan(50);
            List<Variant> variants =
                    List.of(new Variant("red", "r", 1), new Variant("green", "g", 2), new Variant("blue", "b", 3));
            for (JsonNode v : vectors) {
                String salt = v.get("salt").asText();
                String user = v.get("user_id").asText();
                assertThat(Bucket.of(salt, user))
                        .as("salt %s, user %s", salt, user)
                        .isEqualTo(v.get("bucket").asInt());
                byte[] text = (salt + ":" + user).getBytes(StandardCharsets.UTF_8);
                assertThat(Integer.toUnsignedLong(MurmurHash3.hash32x86(text, 0, text.length, 0)) % 10_000)
                        .isEqualTo(v.get("bucket").asLong());
                Evaluation e = FlagSet.compile(List.of(flag("f", salt, null, variants)))
                        .evaluate("f", new EvaluationContext(user, Map.of()));
                assertThat(e.variant()).isNotNull();
                assertThat(e.variant().name()).isEqualTo(v.get("variant").asText());
            }
        }
    }

    @Property
    void raisingThePercentageNeverTurnsTheFlagOffForAUser(
            @ForAll String user, @ForAll @IntRange(max = 10_000) int a, @ForAll @IntRange(max = 10_000) int b) {
        if (isOn(flag("f", "f", Math.min(a, b), List.of()), user)) {
            assertThat(isOn(flag("f", "f", Math.max(a, b), List.of()), user)).isTrue();
        }
    }

    @Test
    void theShareOfUsersMatchesThePercentage() {
        for (int hundredths : new int[] {1, 100, 1_000, 2_500, 5_000, 9_999}) {
            FlagDefinition flag = flag("share-" + hundredths, "share-" + hundredths, hundredths, List.of());
            FlagSet set = FlagSet.compile(List.of(flag));
            int users = 100_000;
            int on = 0;
            for (int i = 0; i < users; i++) {
                on += set.evaluate(flag.name(), new EvaluationContext("user-" + i, Map.of()))
                                .enabled()
                        ? 1
                        : 0;
            }
            double p = hundredths / 10_000.0;
            double fiveDeviations = 5 * Math.sqrt(users * p * (1 - p));
            assertThat(Math.abs(on - users * p)).isLessThan(fiveDeviations);
        }
    }

    @Test
    void flagsWithTheSameSaltHaveTheSameUsersAndOthersAreIndependent() {
        FlagSet set = FlagSet.compile(List.of(
                flag("a", "same", 5_000, List.of()),
                flag("b", "same", 5_000, List.of()),
                flag("c", "c", 5_000, List.of())));
        int users = 100_000;
        int both = 0;
        for (int i = 0; i < users; i++) {
            EvaluationContext user = new EvaluationContext("user-" + i, Map.of());
            boolean a = set.evaluate("a", user).enabled();
            assertThat(set.evaluate("b", user).enabled()).isEqualTo(a);
            both += a && set.evaluate("c", user).enabled() ? 1 : 0;
        }
        assertThat(Math.abs(both - users / 4)).isLessThan((int) (5 * Math.sqrt(users * 0.25 * 0.75)));
    }
}
