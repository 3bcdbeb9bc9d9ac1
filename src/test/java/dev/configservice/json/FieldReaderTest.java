package dev.configservice.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** The reader of request bodies. */
class FieldReaderTest {
    private static ObjectNode object(String json) {
        return Json.readObject(json);
    }

    private static List<String> wrong(FieldReader fields) {
        try {
            fields.done();
            return List.of();
        } catch (ServiceException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.INVALID);
            return e.errors().stream().map(FieldError::field).toList();
        }
    }

    @Test
    void allErrorsAndUnknownFieldsAreReportedAtOnce() {
        FieldReader fields = FieldReader.write(object(
                "{\"name\":1,\"flag\":\"yes\",\"count\":1.5,\"at\":\"today\",\"list\":[1,\"ok\"],\"other\":true}"));
        fields.required("name", StringRule.NAME);
        fields.required("missing", StringRule.NAME);
        fields.bool("flag");
        fields.integer("count", 0, 10);
        fields.time("at");
        fields.texts("list", StringRule.NAME, 5);

        assertThat(wrong(fields))
                .containsExactlyInAnyOrder("name", "missing", "flag", "count", "at", "list[0]", "other");
    }

    @Test
    void nullMeansAbsentInAReadAndClearsTheFieldInAWrite() {
        FieldReader question = FieldReader.read(object("{\"a\":null}"));
        assertThat(question.has("a")).isFalse();
        FieldReader write = FieldReader.write(object("{\"a\":null}"));
        assertThat(write.has("a")).isTrue();
        assertThat(write.text("a", StringRule.ANY)).isNull();
        write.refuseNull("a");
        assertThat(wrong(write)).containsExactly("a");
    }

    @Test
    void readOnlyFieldsAreAcceptedOnlyWithTheirStoredValues() {
        ObjectNode stored = object("{\"id\":\"x\",\"version\":3,\"empty\":null}");
        FieldReader same = FieldReader.write(object("{\"id\":\"x\",\"version\":3,\"empty\":null}"));
        same.readOnly(stored, "id", "version", "empty");
        assertThat(wrong(same)).isEmpty();
        FieldReader other = FieldReader.write(object("{\"id\":\"y\",\"version\":4,\"empty\":1}"));
        other.readOnly(stored, "id", "version", "empty");
        assertThat(wrong(other)).containsExactly("id", "version", "empty");
    }

    @Test
    void invalidFieldNamesAreNotRepeatedInErrors() {
        ObjectNode odd = Json.object();
        odd.put("x".repeat(200), 1);
        odd.put("nul\0", 1);
        assertThatThrownBy(() -> FieldReader.write(odd).done())
                .isInstanceOfSatisfying(
                        ServiceException.class,
                        e -> assertThat(e.errors())
                                .allMatch(error -> error.field().length() < 50));
    }

    @Provide
    Arbitrary<String> values() {
        return Arbitraries.of(
                "null",
                "true",
                "1",
                "-1",
                "1e400",
                "0.5",
                "\"\"",
                "\"a\"",
                "\"\\u0000\"",
                "[]",
                "[null]",
                "{}",
                "[\"a\",1]");
    }

    /** Checks that every method either reads a field or reports it by its name, for any value. */
    @Property
    void anyValueIsReadOrReportedByItsFieldName(@ForAll("values") String value, @ForAll boolean write) {
        for (int reader = 0; reader < 7; reader++) {
            ObjectNode body = object("{\"f\":" + value + "}");
            FieldReader fields = write ? FieldReader.write(body) : FieldReader.read(body);
            switch (reader) {
                case 0 -> fields.text("f", StringRule.text(1, 5));
                case 1 -> fields.bool("f");
                case 2 -> fields.integer("f", 0, 5);
                case 3 -> fields.time("f");
                case 4 -> fields.texts("f", StringRule.NAME, 3);
                case 5 -> fields.value("f");
                default -> fields.required("f", StringRule.NAME);
            }
            assertThat(wrong(fields)).allMatch(f -> f.startsWith("f"));
        }
    }
}
