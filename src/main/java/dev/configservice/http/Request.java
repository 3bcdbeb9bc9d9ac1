package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.change.Origin;
import dev.configservice.change.Origin.IdempotencyKey;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A request as routes see it: read and checked once, immutable.
 *
 * @param path its path, without the query
 * @param parameters the parameters of the route's path
 * @param query the query parameters, of which the route knows all
 * @param body the body's bytes; empty where there is none
 * @param minRevision the revision that its client has seen; 0 where it does not say
 * @param remoteAddress the caller's address
 */
public record Request(
        String id,
        String method,
        String path,
        Map<String, String> parameters,
        Map<String, String> query,
        MultiMap headers,
        Buffer body,
        Caller caller,
        long minRevision,
        String remoteAddress) {

    private static final Pattern ETAG = Pattern.compile("\"(\\d{1,18})(?:-m)?\"");

    public String parameter(String name) {
        return Objects.requireNonNull(parameters.get(name), name);
    }

    /** A query parameter; null where it is not given. */
    public @Nullable String query(String name) {
        return query.get(name);
    }

    /** A query parameter that may not be empty; null where it is not given. */
    public @Nullable String query(String name, Rule rule) {
        String value = query.get(name);
        if (value != null) {
            String problem = rule.problem(value);
            if (problem != null) {
                throw ServiceException.invalid(name, problem);
            }
        }
        return value;
    }

    /** A query parameter that is true or false; null where it is not given. */
    public @Nullable Boolean flag(String name) {
        String value = query.get(name);
        if (value == null) {
            return null;
        }
        if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
            throw ServiceException.invalid(name, "must be true or false");
        }
        return value.equalsIgnoreCase("true");
    }

    /** A query parameter that is a whole number; {@code otherwise} where it is not given. */
    public long number(String name, long min, long max, long otherwise) {
        String value = query.get(name);
        if (value == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below, like a number out of range
        }
        throw ServiceException.invalid(name, "must be a whole number from " + min + " to " + max);
    }

    /** A query parameter that is a time; null where it is not given. */
    public @Nullable Instant time(String name) {
        String value = query.get(name);
        if (value == null) {
            return null;
        }
        Instant at = Times.parse(value);
        if (at == null) {
            throw ServiceException.invalid(name, Times.EXPECTED);
        }
        return at;
    }

    /** A header, its name in any case; null where it is not given. */
    public @Nullable String header(String name) {
        return headers.get(name);
    }

    /** The body, which must be a JSON object. */
    public ObjectNode object() {
        JsonNode node = Json.parseBody(body.getBytes());
        if (!(node instanceof ObjectNode object)) {
            throw new ServiceException(ErrorCode.MALFORMED_BODY, "The body must be a JSON object");
        }
        return object;
    }

    /**
     * The revision that {@code If-Match} asks for; null where there is no such header, or it is {@code *}. What is no
     * entity tag of ours matches nothing: -1.
     */
    public @Nullable Long ifMatch() {
        String value = headers.get("if-match");
        if (value == null || value.strip().equals("*")) {
            return null;
        }
        Matcher m = ETAG.matcher(value.strip());
        return m.matches() ? Long.parseLong(m.group(1)) : -1L;
    }

    /** Where a command that this request gives comes from. */
    public Origin origin(@Nullable String comment) {
        return new Origin(caller.name(), id, comment, idempotencyKey());
    }

    private @Nullable IdempotencyKey idempotencyKey() {
        String key = headers.get("idempotency-key");
        if (key == null || !method.equals("POST")) {
            return null;
        }
        if (key.isEmpty() || key.length() > 255 || !key.chars().allMatch(c -> c > 32 && c < 127)) {
            throw ServiceException.invalid("Idempotency-Key", "must be 1 to 255 visible ASCII characters");
        }
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update((path + "\n").getBytes(StandardCharsets.UTF_8));
            return new IdempotencyKey(caller.id(), key, HexFormat.of().formatHex(sha.digest(body.getBytes())));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
