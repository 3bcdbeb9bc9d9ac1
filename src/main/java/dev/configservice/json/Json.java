package dev.configservice.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.FieldError;
import dev.configservice.error.ServiceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The JSON reader and writer of the service. Numbers keep their digits ({@code 1.0} stays {@code 1.0}), and objects
 * keep the order of their members. Duplicate members, content after the end of the document, and nesting deeper than
 * {@value #MAX_DEPTH} levels are refused.
 */
public final class Json {
    public static final int MAX_DEPTH = 64;

    private static final int MAX_DIGITS = 40;
    private static final BigDecimal MAX_NUMBER = BigDecimal.valueOf(Double.MAX_VALUE);
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.").withZone(ZoneOffset.UTC);

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(1000)
                            .build())
                    .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .disable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .addModule(new JavaTimeModule())
            .build();

    private static volatile @Nullable Second lastSecond;

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /**
     * Parses a request body. Fails with {@link ErrorCode#MALFORMED_BODY}. The failure names the position of the error,
     * but never repeats the content.
     */
    public static JsonNode parseBody(byte[] bytes) {
        try {
            JsonNode node = MAPPER.readTree(bytes);
            if (node == null || node.isMissingNode()) {
                throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body is empty (expected: a JSON object)");
            }
            return node;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            int line = at == null ? 0 : at.getLineNr();
            int column = at == null ? 0 : at.getColumnNr();
            throw new ServiceException(
                    ErrorCode.MALFORMED_BODY,
                    "The body is not well-formed JSON" + where + hint(e),
                    List.of(),
                    Map.of("line", line, "column", column));
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body is not valid UTF-8");
        } catch (ArithmeticException | NumberFormatException e) {
            throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body contains a number that is out of range");
        }
    }

    private static String hint(JsonProcessingException e) {
        String message = String.valueOf(e.getOriginalMessage());
        if (message.startsWith("Duplicate field")) {
            return ": a member is given twice";
        }
        if (message.contains("nesting depth")) {
            return ": nested deeper than " + MAX_DEPTH;
        }
        if (message.contains("number value length") || message.contains("Number value length")) {
            return ": a number has more than " + MAX_DIGITS + " digits";
        }
        return "";
    }

    /**
     * Adds an error for each part of a value that PostgreSQL could not store: numbers of more than 40 digits or outside
     * the range of a double, the NUL character, unpaired surrogates.
     */
    public static void check(String field, JsonNode value, List<FieldError> errors) {
        if (value.isTextual()) {
            String problem = textProblem(value.textValue());
            if (problem != null) {
                errors.add(new FieldError(field, problem));
            }
        } else if (value.isNumber()) {
            if (!isKept(value.decimalValue())) {
                errors.add(new FieldError(field, "must have at most 40 digits and be in the range of a double"));
            }
        } else if (value.isArray()) {
            for (int i = 0; i < value.size() && errors.size() < 50; i++) {
                check(field + "[" + i + "]", value.get(i), errors);
            }
        } else if (value.isObject()) {
            for (Map.Entry<String, JsonNode> member : value.properties()) {
                if (errors.size() >= 50) {
                    return;
                }
                if (textProblem(member.getKey()) != null) {
                    errors.add(new FieldError(field, "the name of a member " + textProblem(member.getKey())));
                } else {
                    check(field + "." + member.getKey(), member.getValue(), errors);
                }
            }
        }
    }

    /** Tells whether a number has at most 40 digits and is in the range of a double. */
    public static boolean isKept(BigDecimal number) {
        return number.precision() <= MAX_DIGITS
                && number.scale() <= 1100
                && number.scale() >= -400
                && number.abs().compareTo(MAX_NUMBER) <= 0;
    }

    /** Returns the reason for which a string cannot be stored, or null if it can. */
    public static @Nullable String textProblem(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                return "contains the NUL character";
            }
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return "contains an unpaired surrogate";
            }
        }
        return null;
    }

    /** Parses JSON that the service itself has written. */
    public static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Parses a JSON object that the service itself has written. */
    public static ObjectNode readObject(String text) {
        return (ObjectNode) read(text);
    }

    public static JsonNode read(byte[] bytes) {
        try {
            return MAPPER.readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a reader of JSON that the service itself has written, for what is too large to be held as a tree. */
    public static JsonParser parser(InputStream in) throws IOException {
        return MAPPER.createParser(in);
    }

    /** Returns a writer of JSON, for what is too large to be held as a tree. */
    public static JsonGenerator generator(OutputStream out) throws IOException {
        return MAPPER.createGenerator(out);
    }

    public static String write(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static byte[] bytes(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Converts a plain value or a collection of the JDK to JSON. */
    public static JsonNode tree(@Nullable Object value) {
        return MAPPER.valueToTree(value);
    }

    /** Formats a time as in all responses: RFC 3339, UTC, milliseconds. */
    public static String time(Instant at) {
        return time(at.getEpochSecond(), at.getNano() / 1_000_000);
    }

    /** Formats a time in epoch milliseconds. */
    public static String time(long epochMillis) {
        return time(Math.floorDiv(epochMillis, 1000), Math.floorMod(epochMillis, 1000));
    }

    /** Formats a time. Most calls are for the same second as the last call, which is cached. */
    private static String time(long epochSecond, int millis) {
        Second known = lastSecond;
        if (known == null || known.epoch() != epochSecond) {
            known = new Second(epochSecond, SECONDS.format(Instant.ofEpochSecond(epochSecond)));
            lastSecond = known;
        }
        return known.text()
                + (char) ('0' + millis / 100)
                + (char) ('0' + millis / 10 % 10)
                + (char) ('0' + millis % 10)
                + 'Z';
    }

    /** A second since the epoch, and the string with which all formatted times of that second begin. */
    private record Second(long epoch, String text) {}
}
