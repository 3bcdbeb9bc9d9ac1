package dev.configservice.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Arbitrary input, which is either read or rejected, and never fails in another way. */
class JsonPropertyTest {
    private static void readOrRefused(byte[] bytes) {
        try {
            JsonNode node = Json.parseBody(bytes);
            List<FieldError> errors = new ArrayList<>();
            Json.check("value", node, errors);
            if (errors.isEmpty()) {
                // an accepted value is the same after it was written and read again
                assertThat(Json.read(Json.bytes(node))).isEqualTo(node);
            }
        } catch (ServiceException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.MALFORMED_BODY);
        }
    }

    @Property
    void anyBytesAreReadOrRejected(@ForAll byte[] bytes) {
        readOrRefused(bytes);
    }

    @Property
    void anyStringIsReadOrRejected(@ForAll String text) {
        readOrRefused(text.getBytes(StandardCharsets.UTF_8));
        readOrRefused(Json.bytes(com.fasterxml.jackson.databind.node.TextNode.valueOf("x" + text)));
    }

    @Property
    void stringsThatResembleJsonAreReadOrRejected(@ForAll("almostJson") String text) {
        readOrRefused(text.getBytes(StandardCharsets.UTF_8));
    }

    @Provide
    Arbitrary<String> almostJson() {
        return Arbitraries.of(
                        "{",
                        "}",
                        "[",
                        "]",
                        ",",
                        ":",
                        "\"a\"",
                        "\"\\u0000\"",
                        "\"\\ud83d\"",
                        "1",
                        "-",
                        "1e400",
                        "1e9999999999",
                        "1.0e-2147483647",
                        "100e2147483647",
                        "1e-999",
                        "0.1",
                        "null",
                        "true",
                        " ",
                        "\n",
                        "\"",
                        "\\",
                        "12345678901234567890123456789012345678901")
                .list()
                .ofMaxSize(30)
                .map(parts -> String.join("", parts));
    }

    @Property
    void deepNestingIsRefused(@ForAll("depths") int depth) {
        byte[] nested = ("[".repeat(depth) + "]".repeat(depth)).getBytes(StandardCharsets.UTF_8);
        if (depth > Json.MAX_DEPTH) {
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> Json.parseBody(nested))
                    .isInstanceOf(ServiceException.class);
        } else {
            readOrRefused(nested);
        }
    }

    @Provide
    Arbitrary<Integer> depths() {
        return Arbitraries.integers().between(1, 5000);
    }

    @Property
    void invalidNamesAreRejectedWithoutRepeatingThem(@ForAll String name) {
        String problem = StringRule.NAME.problem(name);
        assertThat(problem == null).isEqualTo(name.matches("[a-zA-Z0-9._-]{1,100}"));
        if (problem != null && name.length() > 3) {
            assertThat(problem).doesNotContain(name);
        }
    }
}
