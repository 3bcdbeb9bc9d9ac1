package dev.configservice.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.configservice.access.Caller;
import dev.configservice.error.ErrorCode;
import dev.configservice.error.ServiceException;
import dev.configservice.json.Json;
import dev.configservice.json.Times;
import dev.configservice.log.Origin;
import dev.configservice.log.Origin.IdempotencyKey;
import dev.configservice.secret.Sha256;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
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
 * @param query the query parameters, of which each keeps the rule that its route gave
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

    /** A query parameter that is true or false; null where it is not given. */
    public @Nullable Boolean flag(String name) {
        String value = query.get(name);
        return value == null ? null : value.equalsIgnoreCase("true");
    }

    /** A query parameter that is a whole number; {@code otherwise} where it is not given. */
    public long number(String name, long otherwise) {
        String value = query.get(name);
        return value == null ? otherwise : Long.parseLong(value);
    }

    /** A query parameter that is a time; null where it is not given. */
    public @Nullable Instant time(String name) {
        String value = query.get(name);
        return value == null ? null : Times.parse(value);
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
     * The revisions of which {@code If-Match} asks for one; null where there is no such header, or it is {@code *}. What
     * is no entity tag of ours matches nothing.
     */
    public @Nullable List<Long> ifMatch() {
        String value = headers.get("if-match");
        if (value == null || value.strip().equals("*")) {
            return null;
        }
        List<Long> revisions = new ArrayList<>();
        for (String tag : value.split(",", -1)) {
            Matcher m = ETAG.matcher(tag.strip());
            if (m.matches()) {
                revisions.add(Long.parseLong(m.group(1)));
            }
        }
        return List.copyOf(revisions);
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
        MessageDigest sha = Sha256.digest();
        sha.update((path + "\n").getBytes(StandardCharsets.UTF_8));
        return new IdempotencyKey(caller.id(), key, HexFormat.of().formatHex(sha.digest(body.getBytes())));
    }
}
